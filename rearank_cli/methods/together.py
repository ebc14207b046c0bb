"""Independent calls, awaited together."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

Result = TypeVar("Result")


async def together(work: Iterable[Awaitable[Result]]) -> list[Result]:
    """Await all at once; the results come in the order of the work. The first error ends the rest."""

    async def result(one: Awaitable[Result]) -> Result:
        return await one

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(result(one)) for one in work]
    except BaseExceptionGroup as problems:
        # As it was raised: whoever runs methods tells errors apart by their class.
        raise problems.exceptions[0] from None
    return [task.result() for task in tasks]
