"""What a failed `pulumi` prints, which has no codes: each failure becomes one message with what to do."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from cli.errors import PulumiFailed
from dualregion.errors import DualRegionError
from dualregion.secrets import without_secrets
from messages import Message
from messages.command import driving as messages

PULUMI_VERSION = "3.259.0"
"""The oldest that will do, as `requiredPulumiVersion` in Pulumi.yaml has it."""
_BACKENDS = ("file", "s3", "gs", "azblob", "postgres", "http", "https")
"""What the URL of a state backend begins with."""
_KNOWN_FAILURES = {
    "incorrect passphrase": messages.wrong_passphrase,
    "passphrase must be set": messages.passphrase_missing,
    "PULUMI_ACCESS_TOKEN must be set": messages.not_logged_in,
    "failed to load checkpoint: EOF": messages.checkpoint_empty,
}
"""What Pulumi prints, and the message with a remedy that stands for it."""
_KNOWN_BACKEND_FAILURES = {
    "unable to open state directory": messages.backend_folder_missing,
    "unable to check if bucket": messages.backend_unreachable,
    "(code=": messages.backend_unreachable,
}
"""The same of what keeps Pulumi from its state, whose own words are a part of the message: `(code=` is of each store's."""


class NoSuchStack(PulumiFailed):
    """Pulumi knows no stack of this name."""


class ReadingFailed(Exception):
    """A `pulumi` that only reads has failed; its text is what it printed."""


@contextmanager
def clear_errors(stack: str = "") -> Iterator[None]:
    """Turn what a `pulumi`, or its Automation API, ends with into a `PulumiFailed` with one message.

    A lock is left to the caller, which knows what was to be done.
    """
    try:
        yield
    except (DualRegionError, ModuleNotFoundError):
        raise
    except FileNotFoundError:
        raise PulumiFailed(messages.no_pulumi(PULUMI_VERSION)) from None
    except subprocess.CalledProcessError as error:
        broken = messages.pulumi_does_not_run(error.returncode, PULUMI_VERSION)
        raise PulumiFailed(broken) from None
    except ReadingFailed as error:
        raise _failed(str(error), stack) from None
    except Exception as error:
        # Read now that it is needed: that takes a third of a second, and looking does without.
        from pulumi.automation import CommandError, ConcurrentUpdateError, InvalidVersionError  # noqa: PLC0415

        if isinstance(error, InvalidVersionError):
            raise PulumiFailed(messages.pulumi_not_usable(without_secrets(str(error)))) from None
        if isinstance(error, ConcurrentUpdateError) or not isinstance(error, CommandError):
            raise
        raise _failed(str(error), stack) from None


def _failed(text: str, stack: str) -> PulumiFailed:
    found = failure(text)
    if "no stack named" in text:
        return NoSuchStack(found)
    return PulumiFailed(messages.of_stack(stack, found) if stack else found)


def failure(text: str) -> Message:
    """Return the message for what a failed Pulumi command prints, with a remedy if one is known."""
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    if backend and urlsplit(backend).scheme not in _BACKENDS:
        return messages.no_backend(without_secrets(backend))
    for printed, known in _KNOWN_FAILURES.items():
        if printed in text:
            return known()
    text = without_secrets(text)
    lines = [line.strip() for line in text.splitlines()]
    errors = [line.partition("error:")[2].strip() for line in lines if "error:" in line]
    reason = next(filter(None, errors), text.strip())
    for printed, of_backend in _KNOWN_BACKEND_FAILURES.items():
        if printed in reason:
            return of_backend(reason)
    return messages.pulumi_failed(reason)
