"""Topics for benchmarks, and a whole job over them: prompts, calls, readings and the journal."""

import tempfile
from pathlib import Path

from rearank_cli.engines import Engine, Judge
from rearank_cli.records import Query, RankedDocs, Run
from rearank_cli.reranking.assignments import Assignment
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.job import IN_FLIGHT, Job
from rearank_cli.reranking.options import RerankOptions, recipe_for
from rearank_cli.reranking.progress import Course
from rearank_cli.reranking.slots import Slots
from rearank_cli.reranking.stopping import Stop
from rearank_cli.reranking.topics import Topic
from rearank_cli.traces import Journal
from scripts.benchmarks import texts


def make_topics(
    queries: int, depth: int, length: int, *, apostrophes: bool = False, real: bool = False
) -> list[Topic]:
    """Topics with so many candidates of so many words each."""
    topics = []
    for number in range(queries):
        passages = texts.passages(depth, length, apostrophes=apostrophes, real=real, seed=number)
        ranking = RankedDocs([passage.doc_id for passage in passages], range(depth, 0, -1))
        query = Query(str(number), texts.text(6, -number - 1))
        topics.append(Topic(query.query_id, ranking, query, passages))
    return topics


async def rerank_topics(topics: list[Topic], engine: Engine | Judge, options: RerankOptions) -> None:
    """What `rearank rerank` does between its inputs and its output, with the journal, in this event loop."""
    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder, "traces.jsonl")
        before = Run({topic.query_id: topic.ranking for topic in topics}, "bench")
        assignment = Assignment("bench", "", before, topics, Destination(None, traces))
        slots = Slots(options.in_flight or getattr(engine, "capacity", None) or IN_FLIGHT)
        with Journal(traces) as journal:
            stop = Stop(0)
            course = Course(stop, about=False)
            course.begin(slots)
            job = Job(engine, recipe_for(options), options, stop, slots, course)
            await job.rerank(0, assignment, journal)
