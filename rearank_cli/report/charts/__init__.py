"""The charts of the report: each is one `<svg>` element, drawn to stand in the page, 500 to 800 pixels wide.

They take the page's font, and its colours from CSS variables; without these, they look as on light paper:

    variable                                    light      dark
    --chart-text      words                     inherited  inherited
    --chart-muted     numbers on axes, notes    #6b6b6b    #a0a0a0
    --chart-grid      thin lines                #dddddd    #3a3a3a
    --chart-zero      the line of no change     #555555    #b0b0b0
    --chart-surface   what is behind a chart    #ffffff    #1a1a1a
    --chart-hit       behind a link             transparent, and what it turns to on a:hover
    --chart-1         first run or trace file   #0072b2    #56b4e9
    --chart-2         second ...                #d55e00    #f08a4b
    --chart-3                                   #009e73    #3fc19a
    --chart-4                                   #b45c92    #dd9cc3
    --chart-5                                   #8c6d00    #d9bd4a
    --chart-6                                   #3d9bd4    #9cc8f5
    --chart-7                                   #6a3fc0    #8f7bf0
    --chart-8                                   #7f1d1d    #d94a5a
    --chart-gain      a query that gained       #0072b2    #56b4e9
    --chart-loss      a query that lost         #d55e00    #f08a4b
    --chart-heat      many documents            #0072b2    #56b4e9
    --chart-mark      relevant documents        #d55e00    #ffa057
    --chart-ok        calls by status           #9dbdd2    #4a6c85
    --chart-repaired                            #3d9bd4    #56b4e9
    --chart-truncated                           #e69f00    #e6a93a
    --chart-unreadable                          #d55e00    #f0763a
    --chart-failed                              #97144d    #e0569a
    --chart-other                               #999999    #888888

The colours are Okabe and Ito's, darkened or lightened for thin lines; no chart says anything by colour alone.
"""

from rearank_cli.report.charts.of_changes import changes
from rearank_cli.report.charts.of_distributions import distributions
from rearank_cli.report.charts.of_measures import measures
from rearank_cli.report.charts.of_movements import movements
from rearank_cli.report.charts.of_statuses import statuses
from rearank_cli.report.charts.shades import shade_of

__all__ = ["changes", "distributions", "measures", "movements", "shade_of", "statuses"]
