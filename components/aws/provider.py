"""The provider of an AWS region. Imported only by what makes something there, as the AWS package is large."""

import pulumi
import pulumi_aws as aws


def aws_provider(name: str, aws_region: str, parent: pulumi.Resource) -> aws.Provider:
    """Return the provider; its credentials are found where the AWS CLI finds them."""
    return aws.Provider(name, region=aws_region, opts=pulumi.ResourceOptions(parent=parent))
