"""The reference set-up of the procedure, as plain configuration, for the program's unit tests."""

from typing import Any

from dualregion.config.settings import Settings

OIDC_PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.example/id"
NAMES = ("london", "paris")
ACLS = (["acl-0a1b2c3d", "acl-0123456789abcdef0"], ["acl-0fedcba987654321f"])
POD_CIDRS = (["10.180.0.0/16", "fd00:180::/64"], ["10.181.0.0/16", "fd00:181::/64"])


def region(index: int, **changes: Any) -> dict[str, Any]:
    """Return one entry of `regions`, as the user writes it."""
    name = NAMES[index]
    return {
        "name": name,
        "kubeContext": f"cluster-{name}",
        "namespace": f"camunda-{name}",
        "failoverNamespace": f"camunda-{name}-failover",
    } | changes


def raw(**changes: Any) -> dict[str, Any]:
    """Return a usable configuration, with these keys set (or removed, if None)."""
    merged = {"region": 0, "regions": [region(0), region(1)], "isolation": "own"} | changes
    return {key: value for key, value in merged.items() if value is not None}


def settings(**changes: Any) -> Settings:
    """Return usable settings, with these keys set."""
    return Settings.parse(raw(**changes))


def failover(region_id: int, lost: int, **changes: Any) -> Settings:
    """Return the settings of one stack in phase `failover`."""
    return settings(region=region_id, phase="failover", lostRegion=lost, **changes)


def with_cidrs() -> list[dict[str, Any]]:
    """Return both regions with the address ranges of their pods."""
    return [region(index, podCidrs=POD_CIDRS[index]) for index in (0, 1)]


def acls(index: int, **changes: Any) -> dict[str, Any]:
    """Return a section `networkAcls` of a region, with these keys set."""
    return {"awsRegion": ("eu-west-2", "eu-west-3")[index], "ids": ACLS[index]} | changes


def with_acls(**changes: Any) -> list[dict[str, Any]]:
    """Return both regions with the address ranges of their pods and network ACLs, the latter with these keys set."""
    return [
        region(index, podCidrs=POD_CIDRS[index], networkAcls=acls(index, **changes))
        for index in (0, 1)
    ]


def storage(**changes: Any) -> dict[str, Any]:
    """Return a section `backup` with a bucket for each region, and these keys of `storage` set."""
    buckets = [
        {"name": f"acme-camunda-{name}", "awsRegion": aws_region}
        for name, aws_region in zip(NAMES, ("eu-west-2", "eu-west-3"), strict=True)
    ]
    return {"storage": {"buckets": buckets} | changes}


def with_roles() -> list[dict[str, Any]]:
    """Return both buckets with the identity provider of their region's cluster."""
    return [
        each | {"oidcProviderArn": f"{OIDC_PROVIDER}/{each['awsRegion']}"}
        for each in storage()["storage"]["buckets"]
    ]


def chained_settings(**changes: Any) -> Settings:
    """Return the settings of a stack whose program chains the DNS of both regions."""
    dns = {"chain": True} | changes.pop("dns", {})
    regions = [region(index, dnsAddresses=[f"10.18{index}.0.53"]) for index in (0, 1)]
    return settings(**{"regions": regions, "dns": dns} | changes)
