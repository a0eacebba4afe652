"""What Camunda may leave behind in a namespace, as the Kubernetes API holds it."""

from tests.fakes.kubernetes import Document


def named(name: str, /, **labels: str) -> Document:
    """Return an object of which only the name and the labels matter."""
    return {"metadata": {"name": name, "labels": labels}}


def helm_record(release: str, revision: int = 1) -> Document:
    """Return the Secret in which Helm records a revision of a release."""
    name = f"sh.helm.release.v1.{release}.v{revision}"
    return named(name, owner="helm", name=release, version=str(revision), status="deployed")


def volume(name: str, namespace: str | None) -> Document:
    """Return a volume, claimed from a namespace or not at all."""
    claim = {"claimRef": {"namespace": namespace, "name": "data-camunda-zeebe-0"}}
    return named(name) | {"spec": claim if namespace else {}}


def workload(name: str) -> Document:
    """Return a StatefulSet or a Deployment without pods."""
    template: Document = {"metadata": {}, "spec": {"containers": []}}
    return named(name) | {
        "spec": {"replicas": 0, "serviceName": name, "selector": {}, "template": template}
    }
