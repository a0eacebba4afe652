"""The colours of the report page, and which of them meet: a test holds their contrasts against WCAG AA."""

LIGHT = {
    "ink": "#1b1f24",
    "paper": "#ffffff",
    "line": "#868f99",
    "rule": "#d5dae1",
    "soft": "#59636e",
    "shade": "#f3f5f8",
    "failover": "#b4472f",
    "failback": "#2a6ba6",
    "outage": "#8a1c2c",
    "gap": "#7a58a3",
    "paused": "#9a6400",
    "good": "#1a6b3c",
    "bad": "#a3192c",
}
DARK = {
    "ink": "#e6e8eb",
    "paper": "#15181c",
    "line": "#7b8590",
    "rule": "#3a414a",
    "soft": "#a3adb8",
    "shade": "#1f242a",
    "failover": "#e58a76",
    "failback": "#6fa8dc",
    "outage": "#e0697b",
    "gap": "#b39ad2",
    "paused": "#e5a530",
    "good": "#6cc48f",
    "bad": "#f0808f",
}
"""`line` bounds what is read as a graphic, `rule` only separates rows, and carries nothing by itself."""

TEXT = (
    ("ink", "paper"),
    ("ink", "shade"),
    ("soft", "paper"),
    ("soft", "shade"),
    ("paper", "failover"),
    ("paper", "failback"),
    ("good", "shade"),
    ("bad", "shade"),
    ("bad", "paper"),
)
"""Text and what it stands on: 4.5 to 1 at least."""
GRAPHICS = tuple(
    (name, "paper") for name in ("failover", "failback", "outage", "gap", "paused", "line")
)
"""What a picture is made of, and what it stands on: 3 to 1 at least."""


def variables(colours: dict[str, str]) -> str:
    """Return colours as the page's variables."""
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
