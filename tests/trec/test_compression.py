import bz2
import gzip
import lzma
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import InputError
from rearank_cli.records import ScoredDoc
from rearank_cli.trec import read_run, write_run
from tests.trec.rankings import as_run, ids

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODECS = {"gz": gzip, "bz2": bz2, "xz": lzma, "zst": zstd}
RUN = "".join(f"q1 Q0 doc{n * 7919 % 1000} {n} {100 - n} t\n" for n in range(1, 50)).encode()

every_codec = pytest.mark.parametrize("suffix", CODECS)


@every_codec
def test_compressed_input_is_known_by_its_content_whatever_its_name(read, suffix):
    assert read(CODECS[suffix].compress(RUN), name="run.txt") == read(RUN)


@every_codec
def test_plain_input_is_known_by_its_content_whatever_its_name(read, suffix):
    assert read(RUN, name=f"run.trec.{suffix}") == read(RUN)


@every_codec
def test_two_compressed_files_joined_are_one(read, suffix):
    lines = RUN.splitlines(keepends=True)
    joined = b"".join(CODECS[suffix].compress(b"".join(part)) for part in (lines[:20], lines[20:]))
    assert read(joined) == read(RUN)


@every_codec
def test_a_compressed_file_with_nothing_in_it_is_an_error(read, suffix):
    with pytest.raises(InputError, match="no run in it"):
        read(CODECS[suffix].compress(b""))


@every_codec
def test_a_file_cut_short_anywhere_is_an_error(read, suffix):
    whole = CODECS[suffix].compress(RUN)
    for length in range(8, len(whole) - 1, 13):
        with pytest.raises(InputError, match=r"run\.trec: its compression is damaged or cut short"):
            read(whole[:length])


@every_codec
@settings(deadline=None)
@given(data=st.data())
def test_a_damaged_file_raises_nothing_but_an_input_error(folder, suffix, data):
    damaged = bytearray(CODECS[suffix].compress(RUN))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    path = folder / "damaged"
    path.write_bytes(damaged)
    with suppress(InputError):
        read_run(path)


def test_a_gz_file_with_damaged_data_says_so(read):
    damaged = bytearray(gzip.compress(RUN))
    damaged[len(damaged) // 2] ^= 0xFF
    with pytest.raises(InputError, match="damaged"):
        read(bytes(damaged))


@every_codec
@pytest.mark.parametrize("upper", [False, True])
def test_output_is_compressed_as_its_suffix_says(tmp_path, suffix, upper):
    path = tmp_path / f"run.trec.{suffix.upper() if upper else suffix}"
    write_run(as_run({"q": ["b", "a"]}), path, "t")
    assert CODECS[suffix].decompress(path.read_bytes()) == b"q Q0 b 1 2 t\nq Q0 a 2 1 t\n"
    assert ids(read_run(path)) == {"q": ["b", "a"]}


@every_codec
def test_the_same_run_gives_the_same_compressed_bytes(tmp_path, monkeypatch, suffix):
    run = {"q": [ScoredDoc("a", 1.0)]}
    for moment, name in ((1_000_000_000, "one"), (2_000_000_000, "another")):
        monkeypatch.setattr("time.time", lambda moment=moment: moment)
        write_run(run, tmp_path / f"{name}.trec.{suffix}", "t")
    one, another = (tmp_path / f"{name}.trec.{suffix}" for name in ("one", "another"))
    assert one.read_bytes() == another.read_bytes()
