"""What a setting may be: the rule in the message of one that is refused."""

from collections.abc import Sequence

from messages.catalogue import message
from messages.words import listed


@message
def text_needed() -> str:
    """The setting is a text; what YAML reads as a fraction needs quotes to be one."""
    return "a text is needed; put a fraction in quotes"


@message
def scalar_needed() -> str:
    """A repository's setting is a text, a whole number, true or false."""
    return "a text, a whole number, true or false is needed; put a fraction in quotes"


@message
def whole_number_needed(low: int, high: int) -> str:
    """The setting is a whole number within bounds."""
    return f"a whole number from {low} to {high} is needed"


@message
def truth_value_needed() -> str:
    """The setting is either true or false."""
    return "true or false is needed"


@message
def map_needed(keys: Sequence[str]) -> str:
    """The setting has keys of its own."""
    return f"a map is needed{f', with keys such as {listed(keys[:3])}' if keys else ''}"


@message
def secret_text_needed() -> str:
    """The setting is a text that is kept as a secret."""
    return (
        "a text is needed: `pulumi config set --secret --path elasticsearchSecret.data.KEY VALUE`"
    )


@message
def list_needed(key: str) -> str:
    """The setting is a list."""
    return f"a list is needed: `pulumi config set --path '{key}[0]' VALUE`"


@message
def more_entries_needed(least: int) -> str:
    """The setting has too few entries."""
    return f"at least {least} entries are needed" if least > 1 else "at least 1 entry is needed"


@message
def fewer_entries_needed(most: int) -> str:
    """The setting has too many entries."""
    return f"at most {most} entries are allowed"


@message
def word_needed(allowed: str) -> str:
    """The setting is one of a few words."""
    return f"allowed are {allowed}"


@message
def required() -> str:
    """The setting has no default."""
    return "it is required"


@message
def other_form_needed() -> str:
    """The value has another form than the setting."""
    return "another form is needed (docs/reference/configuration.md)"


@message
def region_id_needed() -> str:
    """The setting `region` is the id of this stack's region."""
    return "set it to 0 or 1 in Pulumi.<stack>.yaml"


@message
def lost_region_id_needed() -> str:
    """The setting `lostRegion` is a region's id."""
    return "allowed are 0 and 1, the id of the lost region"


@message
def two_regions_needed() -> str:
    """The setting `regions` describes two regions."""
    return "two entries are needed, each with name, kubeContext and namespace"


@message
def cluster_size_needed(most: int) -> str:
    """The number of brokers must be divisible by 4: half of a region's brokers sleep while the failback goes on."""
    return (
        f"a number of brokers from 4 to {most} is needed that is divisible by 4: a failover runs a quarter of them in the "
        "lost region's place, and until the failback ends every second broker of the recreated region sleeps; of another "
        "number one would run nowhere"
    )


@message
def even_cluster_size_needed(most: int) -> str:
    """Both regions have the same number of brokers."""
    return f"an even number of brokers from 4 to {most} is needed: each region runs half of them"


@message
def camunda_version_needed(known: Sequence[str]) -> str:
    """The program knows the procedure of some minor versions of Camunda 8 only."""
    return (
        f"one of {', '.join(known)} is needed, in quotes: YAML takes 8.10 for the number 8.1 "
        "(`pulumi config set camundaVersion 8.10` sets them)"
    )


@message
def chart_version_needed() -> str:
    """The chart's version must be the same in every run."""
    return (
        "a whole version such as 10.11.3 is needed, so that an incident does not bring another chart than the one that is "
        "installed"
    )


@message
def line_needed() -> str:
    """The setting is shown in messages, so it fits on a line."""
    return "a text of one line is needed, of at most 253 characters, and not empty"


@message
def file_path_needed() -> str:
    """The setting is the path of a file; what was given looks like the file's content."""
    return "the path of a file is needed, not its content"


@message
def chart_needed() -> str:
    """The setting says where the chart comes from."""
    return "the name, the address or the path of a chart is needed"


@message
def dns_label_needed() -> str:
    """Kubernetes takes a label of DNS as the name."""
    return (
        "1 to 63 lower-case letters a-z, digits 0-9 and hyphens are needed, no hyphen first or last"
    )


@message
def own_namespace_needed() -> str:
    """A namespace of Kubernetes itself cannot be the one of an installation."""
    return (
        "a namespace of Camunda's own is needed: step R deletes it, which Kubernetes refuses for `default` and "
        "`kube-system`, and `kube-*` is reserved for Kubernetes"
    )


@message
def release_name_needed(most: int) -> str:
    """Names in Kubernetes begin with the release's, so it is short and begins with a letter."""
    return (
        f"1 to {most} lower-case letters a-z, digits 0-9 and hyphens are needed, a letter first, no hyphen last: the names "
        "of Services and StatefulSets begin with it"
    )


@message
def release_name_without_component_needed(component: str) -> str:
    """The chart leaves a component out of the names of what it makes if the release's name holds it."""
    return (
        f"it must not hold {component!r}: the chart then leaves the component out of the names by which the program "
        "addresses it"
    )


@message
def data_key_needed() -> str:
    """The setting is a key of a Secret or ConfigMap."""
    return "letters, digits, dots, hyphens and underscores are needed"


@message
def label_name_needed() -> str:
    """The setting is the name of a label or annotation."""
    return "the name of a label or annotation is needed, such as app.kubernetes.io/name"


@message
def label_value_needed() -> str:
    """The setting is the value of a label."""
    return "at most 63 letters, digits, dots, hyphens and underscores are allowed, as in a label"


@message
def pod_label_needed() -> str:
    """The setting is a label with its value, which selects pods."""
    return "a label with its value is needed, such as app.kubernetes.io/name=elasticsearch"


@message
def secret_prefix_needed() -> str:
    """The names of Secrets begin with the setting."""
    return (
        "1 to 62 lower-case letters a-z, digits 0-9 and hyphens are needed, no hyphen first: the names of Secrets begin "
        "with it"
    )


@message
def engine_user_needed() -> str:
    """The setting is the name of a search engine's user, which goes before a colon in what is sent."""
    return "the name of a user is needed, of at most 128 characters, without spaces and colons"


@message
def stack_name_needed() -> str:
    """The setting is a stack of this project."""
    return "the bare name of a stack is needed, without organization and project"


@message
def aws_region_needed() -> str:
    """The setting is a region of AWS."""
    return "the name of an AWS region is needed, such as eu-west-2"


@message
def address_range_needed() -> str:
    """The setting is a range of IP addresses."""
    return "an address range with the length of its mask is needed, e.g. 10.180.0.0/16"


@message
def range_start_needed(meant: str) -> str:
    """The address of the range is not its first one: host bits are set."""
    return f"the first address of the range is needed, {meant} (host bits are set)"


@message
def ipv4_range_needed() -> str:
    """A range of IPv4 addresses is written as one of IPv6."""
    return "an IPv4 range is needed in its own form, not mapped into IPv6"


@message
def smaller_range_needed() -> str:
    """The range holds every address."""
    return "the ranges of the region's pods are needed: Kubernetes refuses a policy that cuts everything"


@message
def dns_address_needed() -> str:
    """The setting is the address of a DNS server, as CoreDNS takes it."""
    return (
        "an IP address is needed, with a port if it is not 53, e.g. 10.192.0.53 or 10.192.0.53:5353; of a load balancer's "
        "name take the address (`dig +short NAME`)"
    )


@message
def reachable_address_needed() -> str:
    """The address leads a machine to itself, or nowhere."""
    return "an address is needed at which the other cluster reaches this one's DNS: no loopback, multicast or 0.0.0.0"


@message
def store_address_needed() -> str:
    """The setting is the address of an S3-compatible store."""
    return "the address of an S3-compatible store is needed, such as https://host:9000"


@message
def incident_needed() -> str:
    """The setting is the name of an incident."""
    return "the name of an incident is needed, e.g. 1-region0-lost, as the refusal shows it that names it"


@message
def digest_needed() -> str:
    """The setting is the SHA-256 of a file."""
    return "a SHA-256 in 64 hexadecimal digits is needed, as `sha256sum` prints it"


@message
def network_acl_id_needed() -> str:
    """The setting is the id of a network ACL of AWS."""
    return "the id of a network ACL is needed, acl- and 8 or 17 hexadecimal digits (`aws ec2 describe-network-acls`)"


@message
def subject_needed() -> str:
    """The setting is a subject of RBAC."""
    return "allowed are user:NAME, group:NAME and serviceaccount:NAMESPACE:NAME"


@message
def resource_needed() -> str:
    """The setting is a resource of Kubernetes, in the plural."""
    return "a resource with its API group is needed, e.g. ingresses.networking.k8s.io"


@message
def bucket_name_needed() -> str:
    """The setting is the name of a bucket, as S3 takes it."""
    return (
        "3 to 63 lower-case letters, digits, dots and hyphens are needed, without two dots in a row, not like an IP "
        "address, and not beginning with xn--"
    )


@message
def oidc_provider_needed() -> str:
    """The setting is the ARN of an identity provider."""
    return "the ARN of the cluster's IAM OIDC provider is needed, arn:aws:iam::ACCOUNT:oidc-provider/ISSUER"


@message
def repository_name_needed() -> str:
    """The setting is the name of a snapshot repository."""
    return "the name of a snapshot repository is needed: 1 to 128 letters, digits, _ and -, no _ or - first"


@message
def repository_type_needed() -> str:
    """The setting is the type of a snapshot repository."""
    return "the type of a snapshot repository is needed: s3, gcs, azure, fs, ..."


@message
def config_map_needed() -> str:
    """The setting is a ConfigMap with its namespace."""
    return "the namespace and name of a ConfigMap are needed, such as kube-system/coredns"


@message
def header_name_needed() -> str:
    """A hook's header has a name that HTTP does not allow."""
    return "names of headers are letters, digits and hyphens, such as Authorization"


@message
def header_value_needed() -> str:
    """A hook's header has a value that cannot be sent; it may be a secret."""
    return "printable ASCII characters on one line are needed"


@message
def url_needed_for_headers() -> str:
    """Headers are sent to a URL; a command gets none."""
    return "headers go with url; a command gets the document alone"


@message
def service_address_needed() -> str:
    """A service that is told of the procedure has no usable address."""
    return (
        "an address as Apprise writes it is needed, such as slack://TOKEN_A/TOKEN_B/TOKEN_C/#channel or "
        "mailto://user:password@example.com (docs/prepare/hooks.md)"
    )


@message
def web_address_needed() -> str:
    """The hook's URL is none to which a document can be posted."""
    return (
        "a URL is needed to which a document can be posted, https://host/path or http://host/path"
    )


@message
def address_without_password_needed() -> str:
    """The hook's URL holds a user or password, which would not be sent."""
    return "a URL without user and password is needed, as they would not be sent: use a token in its path, or a command"


@message
def program_needed() -> str:
    """The hook's command is empty."""
    return "a list is needed that begins with the program"


@message
def installation_needed(namespaces: Sequence[str]) -> str:
    """The setting `retire` names what may be deleted for good by its namespace."""
    return (
        f"the namespace of the installation is needed that may be deleted for good, {' or '.join(namespaces)}; "
        "`pulumi config rm retire` if none may"
    )
