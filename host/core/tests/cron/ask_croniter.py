"""Answers for the test beside it: the next times of cron expressions in UTC, as croniter has them.

A line in: the expression, a tab, seconds since 1970. A line out: the next three times, or the error.
"""

import sys
from datetime import datetime, timezone

from croniter import croniter

for line in sys.stdin:
    expression, after = line.rstrip("\n").split("\t")
    try:
        times = croniter(
            expression,
            datetime.fromtimestamp(int(after), timezone.utc),
            # As vixie cron has it: a day field that begins with a star must fit besides the other.
            implement_cron_bug=True,
            second_at_beginning=True,
            max_years_between_matches=50,
        )
        print(*[int(times.get_next(float)) for _ in range(3)])
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
