import pytest

from rearank_cli.errors import UsageError
from rearank_cli.methods import find_method


@pytest.mark.parametrize(
    ("name", "hint"), [("slidng", "did you mean sliding"), ("bubble", "it is one of sliding")]
)
def test_an_unknown_method_is_a_usage_error_with_a_hint(name, hint):
    with pytest.raises(UsageError, match=f"unknown method '{name}'; {hint}"):
        find_method(name)
