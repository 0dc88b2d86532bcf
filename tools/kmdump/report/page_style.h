// SPDX-License-Identifier: GPL-2.0-or-later
//
// The style sheet of the report page.
#pragma once

namespace kmdump
{

inline constexpr const char* kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --ink: #1c2128; --soft: #59636e; --line: #d9dee4; --track: #e8ebef;
  --accent: #0b62c4; --bad: #b3261e; --bad-back: #fdecea; --warn: #8a5300; --warn-back: #fff4e0;
  --region: #0b62c4; --table: #7a3fb5; --host: #d9730d;
  --mono: ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --card: #181d24; --ink: #e3e7ec; --soft: #98a3af; --line: #2d353f; --track: #262d36;
    --accent: #6cb0ff; --bad: #ff8d84; --bad-back: #3a1c1b; --warn: #f0b860; --warn-back: #33270f;
    --region: #5aa5ff; --table: #c08df2; --host: #f2994a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
main { max-width: 1120px; margin: 0 auto; padding: 0 16px 48px; }
header { max-width: 1120px; margin: 0 auto; padding: 28px 16px 8px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 6px 0; }
.soft { color: var(--soft); }
.file { color: var(--soft); overflow-wrap: anywhere; margin: 2px 0 0; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 12px 0 4px; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px; margin: 14px 0; }
code, .mono { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
.banner { border-radius: 10px; padding: 12px 18px; margin: 14px 0 0; background: var(--track); }
.banner.bad { background: var(--bad-back); color: var(--bad); }
.banner code { font-size: 14px; font-weight: 600; }
.note { border-left: 3px solid var(--warn); background: var(--warn-back); padding: 8px 12px; margin: 8px 0; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 12px 24px; margin: 0; }
dl.facts dt { color: var(--soft); font-size: 13px; }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
.legend .region { background: var(--region); } .legend .table { background: var(--table); } .legend .host { background: var(--host); }
svg { display: block; width: 100%; }
svg.bar { height: 34px; border-radius: 4px; background: var(--track); }
svg.where { height: 6px; border-radius: 2px; background: var(--track); margin-bottom: 3px; }
svg rect { stroke-width: 1; vector-effect: non-scaling-stroke; }
rect.region { fill: var(--region); stroke: var(--region); }
rect.table { fill: var(--table); stroke: var(--table); }
rect.host { fill: var(--host); stroke: var(--host); }
rect.here { fill: var(--soft); stroke: var(--soft); }
.ends { display: flex; justify-content: space-between; gap: 12px; color: var(--soft); font: 12px var(--mono); margin: 2px 0 0; }
.stretch { margin-top: 16px; }
.stretch p { margin: 0 0 4px; font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 640px; font-size: 13px; }
th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td.wide { white-space: normal; overflow-wrap: anywhere; min-width: 12em; }
.number { text-align: right; }
summary { cursor: pointer; padding: 6px 0; overflow-wrap: anywhere; }
summary:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.choice { display: inline-block; margin: 0 14px 10px 0; font-size: 13px; }
ol.log { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
ol.log li { display: grid; grid-template-columns: minmax(112px, auto) 56px 1fr; gap: 10px; padding: 1px 0; font: 12.5px/1.5 var(--mono); }
ol.log time { color: var(--soft); text-align: right; white-space: pre; }
ol.log b { font-weight: 400; color: var(--soft); }
ol.log span { white-space: break-spaces; overflow-wrap: anywhere; min-width: 0; }
.bad-line span, .bad-line b { color: var(--bad); } .warn-line span, .warn-line b { color: var(--warn); }
.debug-line span { color: var(--soft); }
#only-warnings:checked ~ ol.log .plain-line, #only-warnings:checked ~ ol.log .debug-line { display: none; }
.cpu { border-top: 1px solid var(--line); padding: 4px 0; }
.tag { display: inline-block; border-radius: 999px; padding: 0 9px; font-size: 12px; background: var(--track); color: var(--soft); }
.tag.bad { background: var(--bad-back); color: var(--bad); }
ol.frames { list-style: none; margin: 6px 0 10px; padding: 0; counter-reset: frame -1; }
ol.frames li { counter-increment: frame; display: flex; flex-wrap: wrap; gap: 0 12px; padding: 1px 0; }
ol.frames li::before { content: "#" counter(frame); color: var(--soft); font: 12px/1.7 var(--mono); min-width: 30px; }
ol.frames .soft { font-size: 12px; }
.registers { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 1px 20px; margin: 6px 0 10px; }
.registers span { font: 12.5px/1.6 var(--mono); white-space: pre; }
.registers b { color: var(--soft); font-weight: 400; }
footer { color: var(--soft); font-size: 13px; }
@media (max-width: 560px) {
  section { padding: 14px 12px; }
  ol.log li { grid-template-columns: auto 1fr; gap: 0 10px; padding: 3px 0; }
  ol.log span { grid-column: 1 / -1; }
}
@media print { body { background: none; } section { border: 0; padding: 0; } }
)css";

} // namespace kmdump
