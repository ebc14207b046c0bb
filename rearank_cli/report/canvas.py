"""Drawings by matplotlib that take their colours and their font from the page they stand in."""

import io
import logging
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

COLOURS: Mapping[str, str] = {
    "text": "currentColor",
    "muted": "#6b6b6b",
    "grid": "#dddddd",
    "zero": "#555555",
    "surface": "#ffffff",
    "hit": "transparent",
    "1": "#0072b2",
    "2": "#d55e00",
    "3": "#009e73",
    "4": "#b45c92",
    "5": "#8c6d00",
    "6": "#3d9bd4",
    "7": "#6a3fc0",
    "8": "#7f1d1d",
    "gain": "#0072b2",
    "loss": "#d55e00",
    "heat": "#0072b2",
    "mark": "#d55e00",
    "ok": "#9dbdd2",
    "repaired": "#3d9bd4",
    "truncated": "#e69f00",
    "unreadable": "#d55e00",
    "failed": "#97144d",
    "other": "#999999",
}
"""The page's colours: colour `x` is its CSS variable `--chart-x`, or else this."""

# matplotlib knows no CSS: it draws with colours that stand for ours, replaced in what it has written.
_STAND_INS = {name: f"#10{place:04x}" for place, name in enumerate(COLOURS)}
_CSS = {stand_in: f"var(--chart-{name}, {COLOURS[name]})" for name, stand_in in _STAND_INS.items()}

# What is not written, because it says what a browser does anyway.
_DEFAULTS = {
    ("stroke-linejoin", "miter"),
    ("stroke-linecap", "butt"),
    ("stroke-width", "1"),
    ("text-anchor", "start"),
}


class Canvas:
    """A figure of `width` by `height` pixels, the origin at its top left."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.width, self.height = width, height
        # At 72 dots per inch, matplotlib's points are pixels.
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self.figure.patch.set_visible(False)
        self.pixels = Affine2D().scale(1, -1).translate(0, height)
        self._tips: list[tuple[str, dict[str, str]]] = []
        self._shared: tuple[str, ElementTree.Element] = "", ElementTree.Element("g")

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Axes at this place, without a frame and without tick marks."""
        size = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(size)
        axes.patch.set_visible(False)
        axes.spines[:].set_visible(False)
        axes.tick_params(
            which="both", left=False, bottom=False, labelsize=10, labelcolor=colour("muted"), pad=4
        )
        axes.set_axisbelow(True)
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        shade: str = "text",
        size: float = 11,
        anchor: str = "left",
        bold: bool = False,
        tip: str | None = None,
        gid: str | None = None,
    ) -> None:
        """Write one line, its middle at the height `y`; with a tooltip of its own, or a gid's."""
        self.figure.text(
            x,
            # Half the height of a digit, in nearly any font: what the page's font measures is not known here.
            y + size * 0.36,
            clean(text),
            transform=self.pixels,
            color=colour(shade),
            fontsize=size,
            ha=anchor,
            va="baseline",
            fontweight="bold" if bold else "normal",
            gid=gid or (self.tip(tip) if tip else None),
        )

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        shade: str,
        *,
        opacity: float | None = None,
        gid: str | None = None,
    ) -> None:
        """Fill a rectangle."""
        from matplotlib.patches import Rectangle

        self.figure.add_artist(
            Rectangle(
                (x, y),
                width,
                height,
                facecolor=colour(shade),
                edgecolor="none",
                alpha=opacity,
                gid=gid,
                transform=self.pixels,
            )
        )

    def rectangles(
        self, boxes: Sequence[tuple[float, float, float, float]], shade: str, *, opacity: float
    ) -> None:
        """Fill rectangles (x, y, width, height) as one shape."""
        corners = [
            point
            for x, y, width, height in boxes
            for point in ((x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y))
        ]
        self._shape(corners, "MLLLZ", facecolor=colour(shade), edgecolor="none", alpha=opacity)

    def dots(self, centres: Sequence[tuple[float, float]], radius: float, shade: str) -> None:
        """Draw dots, with a thin edge that sets them off, as two shapes."""
        # A line of no length has round ends: there is no shorter way to write a dot.
        points = [point for centre in centres for point in (centre, centre)]
        for size, name in ((radius + 0.6, "surface"), (radius, shade)):
            self._shape(
                points, "ML", edgecolor=colour(name), fill=False, linewidth=2 * size, capstyle="round"
            )

    def dot(
        self, x: float, y: float, radius: float, shade: str, *, hollow: bool = False, gid: str | None = None
    ) -> None:
        """Draw one dot, or a ring."""
        from matplotlib.patches import Circle

        inside = colour("surface" if hollow else shade)
        self.figure.add_artist(
            Circle(
                (x, y),
                radius,
                facecolor=inside,
                edgecolor=colour(shade),
                linewidth=1.8,
                zorder=3,
                gid=gid,
                transform=self.pixels,
            )
        )

    def _shape(self, points: Sequence[tuple[float, float]], steps: str, **looks: Any) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        if points:
            codes = {"M": Path.MOVETO, "L": Path.LINETO, "Z": Path.CLOSEPOLY}
            path = Path(points, [codes[step] for step in steps] * (len(points) // len(steps)))
            # To simplify is to leave out lines of no length: dots.
            path.should_simplify = False
            self.figure.add_artist(PathPatch(path, transform=self.pixels, zorder=2, **looks))

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        shade: str,
        *,
        width: float = 1,
        gid: str | None = None,
    ) -> None:
        """Draw straight lines from (x[0], y[0]) to (x[1], y[1]) and on."""
        from matplotlib.lines import Line2D

        self.figure.add_artist(
            Line2D(x, y, color=colour(shade), linewidth=width, gid=gid, transform=self.pixels)
        )

    def tip(self, text: str, href: str | None = None, *, by_key: bool = True) -> str:
        """A new gid: the artists drawn with it, one after the other, have this tooltip, and lead to `href`.

        The tabulator key finds the link unless it is not to be had `by_key`.
        Raises ValueError for a link that leaves the page.
        """
        if href is not None and not href.startswith("#"):
            raise ValueError(f"a chart links to places of its page, not to {href!r}")
        attributes = {} if href is None else {"href": href}
        if href is not None and not by_key:
            attributes["tabindex"] = "-1"
        self._tips.append((clean(text), attributes))
        return f"tip-{len(self._tips) - 1}"

    def svg(self, label: str) -> str:
        """The drawing as an `<svg>` element to stand in HTML, without ids, `label` for who cannot see it."""
        written = io.BytesIO()
        unwritten = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self.figure.savefig(written, format="svg", metadata=unwritten)
        source = ElementTree.fromstring(written.getvalue())  # noqa: S314  # matplotlib's own
        shapes = {f"#{element.get('id')}": element for element in source.iter() if element.get("id")}
        root = ElementTree.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "viewBox": f"0 0 {_rounded(self.width)} {_rounded(self.height)}",
                "width": "100%",
                # What is inside of an image cannot be reached, links neither.
                "role": "group" if any(attributes for _, attributes in self._tips) else "img",
                "aria-label": clean(label),
            },
        )
        self._shared = "", root
        for child in source:
            self._copy(child, root, shapes)
        return ElementTree.tostring(root, encoding="unicode")

    def _copy(
        self,
        element: ElementTree.Element,
        parent: ElementTree.Element,
        shapes: Mapping[str, ElementTree.Element],
    ) -> None:
        kind = element.tag.rpartition("}")[2]
        style = _style(element.get("style"))
        if kind == "g":
            # Groups have nothing to say but their tooltips; neighbours with the same share it.
            group = self._group(element.get("id"), parent)
            for child in element:
                self._copy(child, group, shapes)
        elif kind == "path":
            ElementTree.SubElement(parent, "path", {"d": _compact(element.get("d", "")), **style})
        elif kind == "use":
            shape = shapes[element.get("{http://www.w3.org/1999/xlink}href", "")]
            moved = f"translate({_rounded(element.get('x', 0))} {_rounded(element.get('y', 0))})"
            outline = {"d": _compact(shape.get("d", "")), "transform": moved}
            ElementTree.SubElement(parent, "path", {**outline, **_style(shape.get("style")), **style})
        elif kind == "text":
            place = {axis: _rounded(element.get(axis, 0)) for axis in "xy"}
            ElementTree.SubElement(parent, "text", {**place, **style}).text = element.text

    def _group(self, gid: str | None, parent: ElementTree.Element) -> ElementTree.Element:
        if gid is None or not gid.startswith("tip-"):
            return parent
        if gid == self._shared[0]:
            return self._shared[1]
        text, attributes = self._tips[int(gid.removeprefix("tip-"))]
        group = ElementTree.SubElement(parent, "a" if attributes else "g", attributes)
        ElementTree.SubElement(group, "title").text = text
        self._shared = gid, group
        return group


@contextmanager
def drawing(width: float, height: float) -> Iterator[Canvas]:
    """A canvas to draw on: the same drawing has the same bytes, however the user's matplotlib is set."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    # It reports that it looks for fonts, and where it keeps what it found; neither matters here.
    logger.setLevel(logging.CRITICAL)
    try:
        import matplotlib as mpl

        plain = {key: value for key, value in mpl.rcParamsDefault.items() if "backend" not in key}
        ours = {
            "svg.fonttype": "none",
            "svg.hashsalt": "rearank",
            "text.parse_math": False,
            "font.family": ["DejaVu Sans"],
            "lines.solid_capstyle": "butt",
        }
        with mpl.rc_context({**plain, **ours}), warnings.catch_warnings():
            # The font that is measured with lacks a letter; the page's font, or the browser's next, has it.
            warnings.simplefilter("ignore", UserWarning)
            yield Canvas(width, height)
    finally:
        logger.setLevel(level)


def colour(name: str) -> str:
    """The colour that stands for the page's `--chart-<name>`, for matplotlib."""
    return _STAND_INS[name]


def clean(text: str) -> str:
    """The text as one line, without what XML cannot hold or what would turn its order around."""
    line = " ".join(text.split())
    return "".join("\ufffd" if _unfit(character) else character for character in line)


def width_of(text: str, size: float = 11) -> float:
    """About how many pixels wide the text is; East Asian characters are twice as wide as others."""
    return size * 0.58 * sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def shorten(text: str, room: float, size: float = 11) -> str:
    """The text, less its middle where it is wider than `room` pixels."""
    line = clean(text)
    if width_of(line, size) <= room:
        return line
    kept = len(line)
    while kept > 2 and width_of(_less(line, kept), size) > room:
        kept -= 1
    return _less(line, kept)


def _less(line: str, kept: int) -> str:
    tail = kept // 2
    return f"{line[: kept - tail]}…{line[len(line) - tail :]}"


def _unfit(character: str) -> bool:
    # Controls, surrogates, the marks that turn text around, and the two that XML leaves out.
    category = unicodedata.category(character)
    return (
        category in {"Cc", "Cs"}
        or character in "\ufffe\uffff"
        or unicodedata.bidirectional(character)
        in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )


def _style(style: str | None) -> dict[str, str]:
    """CSS declarations as attributes, in the page's colours, and without a font but its size and weight."""
    kept = {}
    for declaration in (style or "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            # Older matplotlib writes weight, size and family as one.
            for size in re.findall(r"(\S+)px", value):
                kept["font-size"] = size
            if value.startswith(("bold", "700")):
                kept["font-weight"] = "700"
        elif name and name != "font-family" and (name, value) not in _DEFAULTS:
            kept[name] = value.removesuffix("px")
    paint = "; ".join(
        f"{name}: {_CSS.get(kept.pop(name), 'none')}" for name in ("fill", "stroke") if name in kept
    )
    # Variables work in declarations, not in attributes.
    return {**kept, "style": paint} if paint else kept


def _compact(path: str) -> str:
    """The same path in fewer bytes: two decimals, and short forms for what is straight."""
    written = []
    x = y = ""
    start = ("", "")
    for command, operands in re.findall(r"([A-Za-z])([^A-Za-z]*)", path):
        numbers = [_rounded(number) for number in operands.split()]
        if command == "L" and numbers == [x, y]:
            written.append("h0")
        elif command == "L" and numbers[1] == y:
            written.append(f"H{numbers[0]}")
        elif command == "L" and numbers[0] == x:
            written.append(f"V{numbers[1]}")
        else:
            written.append(command + " ".join(numbers))
        if numbers:
            x, y = numbers[-2:]
            start = (x, y) if command == "M" else start
        else:
            x, y = start
    return "".join(written)


def _rounded(number: float | str) -> str:
    return f"{round(float(number), 2) + 0.0:.2f}".rstrip("0").rstrip(".")
