"""The look of the report page: on a screen of any width, light or dark, and on paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d5dae1; --soft: #59636e; --shade: #f3f5f8;
  --failover: #c8553d; --failback: #2f75b5; --outage: #8a1c2c; --gap: #8f6fb3; --paused: #d98e04; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --line: #3a414a; --soft: #9aa4af;
  --shade: #1f242a; --failover: #e0705a; --failback: #5b9bd5; --outage: #d0475c; --gap: #a98fca; --paused: #e5a530; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } header p, footer, .legend { color: var(--soft); margin: 0; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; font-size: 13px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.figures div { background: var(--shade); border-left: 4px solid; border-radius: 4px; padding: .6rem .8rem; }
dt { font-size: 13px; color: var(--soft); } dd { margin: 0; font-size: 1.35rem; font-weight: 600; color: var(--ink); }
.outage { --hue: var(--outage); } .gap { --hue: var(--gap); } .failover { --hue: var(--failover); }
.failback { --hue: var(--failback); } .paused { --hue: var(--paused); }
.figures div { border-color: var(--hue); }
header p { max-width: 50rem; } .legend { font-size: 13px; margin-bottom: .8rem; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .45em; background: var(--hue); }
.wide { overflow-x: auto; } svg { display: block; width: 100%; min-width: 46rem; height: auto; }
svg text { font: 12px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .middle { text-anchor: middle; } svg .axis { stroke: var(--line); }
svg .loss { stroke: var(--outage); stroke-width: 1.5; stroke-dasharray: 4 3; } svg .break { fill: var(--shade); }
svg rect { fill: var(--hue); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; } .time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.what { overflow-wrap: anywhere; } .what ul { margin: .3rem 0 0; padding: 0; list-style: none; color: var(--soft); }
.what b { font-weight: 600; color: var(--ink); margin-right: .3em; }
.chip { display: inline-block; min-width: 2.4em; text-align: center; border-radius: 4px; padding: 0 .4em;
  font-weight: 600; color: var(--paper); background: var(--hue); }
.brokers { width: auto; } .brokers td, .brokers th { padding-right: 2rem; white-space: nowrap; } .none { color: var(--soft); }
@media (max-width: 40rem) {
  .steps thead { display: none; } .steps tr { display: grid; grid-template-columns: auto 1fr auto; gap: 0 .8rem;
    padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .steps td { border: 0; padding: 0; } .steps td:nth-child(3) { color: var(--soft); grid-column: 2; grid-row: 2; }
  .steps td:nth-child(4) { grid-column: 3; grid-row: 1; } .steps .what { grid-column: 1 / -1; margin-top: .3rem; } }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } tr, .figures, svg { break-inside: avoid; }
  h2 { break-after: avoid; } svg { min-width: 0; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
