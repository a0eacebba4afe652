"""Keep CoreDNS's Corefile the same as the ConfigMap of the cluster, as a kubelet does it for CoreDNS in a pod.

A region runs a copy of this file, by the machine's Python alone, so it needs nothing but the standard library.
Arguments: URL of the API server, its authority's certificate, client certificate, its key, where the Corefile is.
"""

import json
import ssl
import sys
import time
from pathlib import Path
from urllib.request import urlopen

CONFIG_MAP = "coredns"
NAMESPACE = "kube-system"
KEY = "Corefile"
_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps?watch=true&fieldSelector=metadata.name%3D{CONFIG_MAP}"
_AGAIN_SECONDS = 1.0
_SILENCE_SECONDS = 600.0
"""After how long without a change the question is asked again; the answer begins with what there is."""


def follow(url: str, context: ssl.SSLContext, corefile: Path) -> None:
    """Write every state of the ConfigMap, from the present one on, until the API server ends its answer.

    One that is deleted, or has no Corefile, leaves the last one in place.
    """
    where = f"{url}{_PATH}"
    with urlopen(where, timeout=_SILENCE_SECONDS, context=context) as events:  # noqa: S310 (our own URL)
        for line in events:
            event = json.loads(line)
            text = (event["object"].get("data") or {}).get(KEY)
            if event["type"] in ("ADDED", "MODIFIED") and text is not None:
                new = corefile.with_name(f".{corefile.name}.new")
                new.write_text(text)
                new.replace(corefile)
                print(f"written as of {event['object']['metadata']['resourceVersion']}", flush=True)


def main(url: str, authority: str, certificate: str, key: str, corefile: str) -> None:
    """Follow for ever."""
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    while True:
        try:
            follow(url, context, Path(corefile))
        except (OSError, ValueError, KeyError) as error:
            print(f"asking again: {error}", flush=True)
        time.sleep(_AGAIN_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
