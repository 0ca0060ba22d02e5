"""Archives of recordings: thousands of files segmented side by side, and their segments as one Parquet file.

    from kineseg.batch import Choices, run, segment_file

    rows = segment_file("take.bvh", Choices())       # one file: all that any scheduler of jobs needs
    report = run(files, "segments.parquet")          # many, in processes of this machine; goes on where it was cut
    report = run(files, "segments.parquet", on_ray=True)  # the same, in those of a Ray cluster

`run` needs ``kineseg[batch]``, on Ray ``kineseg[ray]``, and what segments in this process ``kineseg[local]``.
"""

from kineseg.batch.choices import Choices
from kineseg.batch.job import Report, run
from kineseg.batch.pool import Outcome
from kineseg.batch.segments import Row, segment_file

__all__ = ["Choices", "Outcome", "Report", "Row", "run", "segment_file"]
