"""Videos of a segmented recording: the moving body, what was found and what is known, and the embedding as it grows."""

from kineseg_training.studies.service.video.frames import Scene, Shot, scene_of
from kineseg_training.studies.service.video.write import write_video

__all__ = ["Scene", "Shot", "scene_of", "write_video"]
