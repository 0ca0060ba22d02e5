"""One training loop for every family: progress, checkpoints, early stopping, several processes, mixed precision."""

from kineseg_training.loop.course import Course, CourseRow
from kineseg_training.loop.processes import Processes, joined
from kineseg_training.loop.run import train
from kineseg_training.loop.saved import LAST, Saved, load_saved
from kineseg_training.loop.settings import LoopSettings, Precision
from kineseg_training.loop.task import Task, Update

__all__ = [
    "LAST",
    "Course",
    "CourseRow",
    "LoopSettings",
    "Precision",
    "Processes",
    "Saved",
    "Task",
    "Update",
    "joined",
    "load_saved",
    "train",
]
