"""The look of the report page: on a screen of any width, light or dark, and on paper."""

from cli.report.palette import DARK, LIGHT, variables

STYLE = (
    f"""
:root {{ color-scheme: light dark; {variables(LIGHT)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}
"""
    + """
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } header p, footer, .legend { color: var(--soft); margin: 0; }
header p { max-width: 50rem; }
header .loss { background: var(--shade); border-left: 4px solid var(--hue); border-radius: 4px; padding: .6rem .8rem;
  font-size: 1.1rem; font-weight: 600; color: var(--hue); margin: 0 0 .8rem; max-width: none; }
.none { --hue: var(--good); } .unshown { --hue: var(--bad); }
footer { margin-top: 2.5rem; border-top: 1px solid var(--rule); padding-top: .8rem; font-size: 13px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .6rem 1.5rem;
  margin: 1.2rem 0 0; } .facts dd { overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.figures div { background: var(--shade); border-left: 4px solid var(--hue); border-radius: 4px; padding: .6rem .8rem; }
.figures dd { font-size: 1.35rem; font-weight: 600; }
dt { font-size: 13px; color: var(--soft); } dd { margin: 0; color: var(--ink); }
.outage { --hue: var(--outage); } .gap { --hue: var(--gap); } .failover { --hue: var(--failover); }
.failback { --hue: var(--failback); } .paused { --hue: var(--paused); }
.legend { font-size: 13px; margin-bottom: .8rem; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .45em; background: var(--hue); }
.wide { overflow-x: auto; } svg { display: block; width: 100%; min-width: 46rem; height: auto; }
svg text { font: 12px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .middle { text-anchor: middle; } svg .axis { stroke: var(--rule); }
svg .loss { stroke: var(--outage); stroke-width: 1.5; stroke-dasharray: 4 3; } svg .break { fill: var(--shade); }
svg rect { fill: var(--hue); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0; border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); } th { font-weight: 600; }
.time { font-weight: 400; white-space: nowrap; font-variant-numeric: tabular-nums; }
.what, .message { overflow-wrap: anywhere; } .failed { color: var(--bad); font-weight: 600; }
details { margin-top: .25rem; } summary { cursor: pointer; color: var(--soft); min-height: 24px; }
details ul { margin: .3rem 0 0; padding: 0; list-style: none; color: var(--soft); }
details b { font-weight: 600; color: var(--ink); margin-right: .3em; }
.chip { display: inline-block; min-width: 2.4em; text-align: center; border-radius: 4px; padding: 0 .4em;
  font-weight: 600; color: var(--paper); background: var(--hue); }
.brokers, .versions { width: auto; } .brokers td, .brokers th, .versions td, .versions th { padding-right: 2rem; }
.brokers td, .brokers th { white-space: nowrap; } .absent { color: var(--soft); }
:focus-visible { outline: 2px solid var(--failback); outline-offset: 2px; }
@media (max-width: 40rem) {
  .steps thead, .runs thead { display: none; } .steps td, .steps th, .runs td, .runs th { border: 0; padding: 0; }
  .steps tr, .runs tr { display: grid; grid-template-columns: auto 1fr auto; gap: 0 .8rem; padding: .6rem 0;
    border-bottom: 1px solid var(--rule); }
  .steps .began { color: var(--soft); grid-column: 2; grid-row: 2; } .steps .took { grid-column: 3; grid-row: 1; }
  .steps .what, .runs .message { grid-column: 1 / -1; margin-top: .3rem; } .runs .by { grid-column: 1 / 3; }
  .answers td, .answers th { display: block; border: 0; padding: 0; } .answers thead { display: none; }
  .answers tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--rule); } }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } tr, .figures, svg { break-inside: avoid; }
  h2 { break-after: avoid; } svg { min-width: 0; } .wide { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { display: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
)
