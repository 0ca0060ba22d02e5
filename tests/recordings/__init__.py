"""Recordings of our own making in the layout of the motion-capture data: what stands in for it in the tests.

`kineseg.motion.generate` makes people who move, `retarget` puts their motion on the skeletons of the data sets, and
`write_data` lays the files out as the data's folder has them. Nothing here was measured or copied.
"""
