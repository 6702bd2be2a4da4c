"""Charts: small, without a style of their own, in the page's colour; and words of labels are no formulas."""

from xml.etree import ElementTree

import pytest

from evokd.report.charts import Curve, curves_chart

pytestmark = pytest.mark.usefixtures("charts")

WILD = "$\\frac{1}{0}$ <script> style=\"fill: red\" & 'x'"


def test_a_chart_takes_the_colours_of_the_page_and_needs_no_inline_style() -> None:
    curves = [Curve(WILD, [0, 1], [50, 60], [40, None], [60, None]), Curve("test", [1], [62], [50], [70], alone=True)]
    drawn = curves_chart(curves, "cycle", "score, %", whole=True)
    root = ElementTree.fromstring(drawn)
    attributes = {name for each in root.iter() for name in each.attrib}
    assert root.get("role") == "img" and root.get("aria-label") == "score, % by cycle"
    assert "style" not in attributes and not any("href}" in name or name.endswith("}href") for name in attributes)
    assert not root.findall(".//{*}style") + root.findall(".//{*}metadata")
    colours = {each.get(key) for each in root.iter() for key in ("fill", "stroke")}
    assert "currentColor" in colours and "#000000" not in colours and "#010203" not in colours
    said = [each.text for each in root.iter() if each.text]
    assert f"{WILD[:24]}…" in said and {"0", "1", "cycle"} <= set(said)
    known = {each.get("id") for each in root.iter()}
    used = {value.strip("url()#") for each in root.iter() for value in each.attrib.values() if "#" in value[:5]}
    assert {each for each in used if len(each) > 7} <= known, "what a name refers to is there"
    assert len(drawn) < 15_000
