"""The isolation on AWS: rules in network ACLs of the operator's that cut the other region off.

Imported only when there are such rules, as the AWS package is needed by nothing else. The network ACLs
themselves, and every other rule in them, stay the operator's.
"""

from collections.abc import Sequence
from ipaddress import ip_network

import pulumi
import pulumi_aws as aws

from components.aws.provider import aws_provider
from components.isolation import before_isolation
from dualregion.procedure.topology import AclRule
from steps.context import StepContext


class NetworkAcls(pulumi.ComponentResource):
    """The rules of one region's network ACLs.

    :ivar rules: all of them; gate F1 comes after them.
    """

    rules: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        aws_region: str,
        rules: Sequence[AclRule],
        ctx: StepContext,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("dualregion:index:NetworkAcls", name, None, opts)
        provider = aws_provider(name, aws_region, self)
        self.rules = [_rule(each, provider, ctx, self) for each in rules]
        self.register_outputs({})


def _rule(
    rule: AclRule, provider: aws.Provider, ctx: StepContext, parent: pulumi.Resource
) -> aws.ec2.NetworkAclRule:
    """Declare a rule, which denies all protocols."""
    is_ipv6 = ip_network(rule.cidr).version == 6
    return aws.ec2.NetworkAclRule(
        rule.name,
        network_acl_id=rule.acl,
        rule_number=rule.number,
        egress=rule.egress,
        rule_action="deny",
        protocol="-1",
        cidr_block=None if is_ipv6 else rule.cidr,
        ipv6_cidr_block=rule.cidr if is_ipv6 else None,
        # Its number is taken as long as it is there.
        opts=pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(parent=parent, provider=provider, delete_before_replace=True),
            before_isolation(rule.name, ctx),
        ),
    )
