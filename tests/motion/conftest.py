"""What the motion tests share: a small file to read."""

from __future__ import annotations

import pytest

SMALL_BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0 20 0
    }
  }
  JOINT LeftUpLeg
  {
    OFFSET 9 -4 1
    CHANNELS 4 Xrotation Yposition Zrotation Xposition
    JOINT LeftLeg
    {
      OFFSET 0 -42 0
      CHANNELS 1 Xrotation
      End Site
      {
        OFFSET 0 -40 2
      }
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.0333333
1 95 2  10 20 30   5 6 7   15 -4.5 25 9.5   40
2 94 3  11 21 31   6 7 8   16 -4.6 26 9.6   41
3 93 4  12 22 32   7 8 9   17 -4.7 27 9.7   42
"""


@pytest.fixture
def small_bvh() -> str:
    return SMALL_BVH
