"""What every chart is drawn on: how wide it is, and what it says where there is nothing to draw."""

from rearank_cli.report.canvas import drawing

WIDTH = 600


def nothing(sentence: str) -> str:
    """A chart of one sentence: why there is no other."""
    with drawing(WIDTH, 40) as canvas:
        canvas.text(WIDTH / 2, 20, sentence, shade="muted", anchor="center")
        return canvas.svg(sentence)
