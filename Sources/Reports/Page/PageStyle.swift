// SPDX-License-Identifier: Apache-2.0

/// The look of the page: colours for light and dark, widths for phones, rules for paper.
enum PageStyle {
  /// The style sheet.
  static let css = """
    :root { color-scheme: light dark;
      --paper: #ffffff; --ink: #1b1d21; --soft: #5c6370; --rule: #d9dce1; --tint: #f4f5f7;
      --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b5578f; --c4: #c98500; --c5: #3f96cc;
      --c6: #555555; }
    @media screen and (prefers-color-scheme: dark) { :root {
      --paper: #16181c; --ink: #e8eaed; --soft: #a3a9b3; --rule: #3a3f47; --tint: #1f2227;
      --c0: #4da3e0; --c1: #ff8b4a; --c2: #2cc9a0; --c3: #e3a0c8; --c4: #f2be4a; --c5: #8cccf2;
      --c6: #bbbbbb; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; padding: 1rem; max-width: 86rem; background: var(--paper);
      color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
    h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.25rem; line-height: 1.3;
      margin-top: 2rem; border-bottom: 1px solid var(--rule); }
    h3 { font-size: 1.05rem; margin: 1.5rem 0 .3rem; }
    summary { cursor: pointer; } summary h2 { display: inline; border: 0; }
    body > details { border-bottom: 1px solid var(--rule); padding: .5rem 0; }
    p, li { max-width: 52rem; } .soft, figcaption, .notes { color: var(--soft); font-size: .9rem; }
    nav ul { columns: 27rem; padding-left: 1.2rem; }
    a { color: var(--c0); }
    .box { overflow-x: auto; margin: .5rem 0;
      --edge: color-mix(in srgb, var(--ink) 30%, transparent); background:
      linear-gradient(to left, var(--paper) 1.2rem, transparent) right,
      linear-gradient(to left, var(--edge), transparent) right;
      background-size: 3rem 100%, .9rem 100%; background-repeat: no-repeat;
      background-attachment: local, scroll; }
    table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
    th, td { padding: .25rem .4rem; border-bottom: 1px solid var(--rule); text-align: right;
      vertical-align: top; overflow-wrap: normal; white-space: nowrap; }
    th { background: color-mix(in srgb, var(--ink) 5%, transparent); }
    thead th { white-space: normal; vertical-align: bottom; }
    th.t, td.t { text-align: left; }
    td.wide { white-space: normal; min-width: 11rem; overflow-wrap: anywhere; }
    tr > :first-child { position: sticky; left: 0; background: var(--paper); }
    thead tr > :first-child { background: var(--tint); }
    figure { margin: 1rem 0; max-width: 46rem; } svg.plot, figure > svg { width: 100%; height: auto;
      display: block; }
    .plots, .matrices { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fit,
      minmax(min(100%, 30rem), 1fr)); }
    .plots > *, .matrices > * { min-width: 0; }
    .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; padding: 0;
      margin: .2rem 0; font-size: .85rem; } .legend svg { width: 2.2rem; height: .9rem;
      vertical-align: -1px; }
    details { margin: .3rem 0; }
    svg text { font: 13px system-ui, sans-serif; fill: var(--ink); }
    svg .tick { fill: var(--soft); font-size: 12px; } svg .name { font-size: 12px;
      paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
    svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
    svg .grid { stroke: var(--rule); } svg .line { fill: none; stroke-width: 1.8; }
    svg .band { fill-opacity: .18; stroke: none; } svg .bar { stroke: var(--ink); stroke-width: 1.2; }
    svg .mark { fill-opacity: .75; stroke: var(--paper); stroke-width: .8; }
    svg .dot { fill-opacity: .9; } svg .size { fill: none; stroke: var(--soft); }
    svg .level { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 4; }
    svg .leader { stroke: var(--soft); stroke-width: .7; }
    svg .front { fill: none; stroke: var(--soft); stroke-width: 1.3; stroke-dasharray: 5 4; }
    \(colors)
    @media (max-width: 34rem) { svg text { font-size: \(FontMetrics.title)px; }
      svg .tick { font-size: \(FontMetrics.tick)px; } svg .name { font-size: \(FontMetrics.name)px; } }
    .heat td { text-align: right; } .heat .right { outline: 1px solid var(--soft); }
    pre { overflow-x: auto; background: var(--tint); padding: .6rem; font-size: .85rem; }
    @page { size: landscape; margin: 12mm; }
    @media print { :root { color-scheme: light; } body { max-width: none; padding: 0;
      font-size: 11pt; } nav { display: none; }
      details::details-content { content-visibility: visible; height: auto; }
      h2, h3, summary { break-after: avoid; } figure, tr { break-inside: avoid; }
      figure { max-width: 30rem; } .plots, .matrices { grid-template-columns: 1fr 1fr; }
      .box { overflow: visible; background: none; } table { font-size: 7pt; }
      tr > :first-child { position: static; }
      th, td { white-space: normal; padding: .12rem .2rem; } td.wide { min-width: 8rem; }
      .heat td { print-color-adjust: exact; } summary { list-style: none; } }
    """

  private static let colors = (0..<SeriesStyle.colors).map {
    "svg .line.c\($0) { stroke: var(--c\($0)); } "
      + "svg .mark.c\($0), svg .dot.c\($0), svg .band.c\($0) { fill: var(--c\($0)); }"
  }.joined(separator: "\n")
}
