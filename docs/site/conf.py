"""How Sphinx builds the site; `build.py` lays out its sources first."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))

from kineseg import __version__  # noqa: E402
from kineseg_service.logs import configure_logs  # noqa: E402

project = "kineseg"
author = "The kineseg founders"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "breaks",
    "docstrings",
]
exclude_patterns = ["**/README.txt"]
nitpicky = False

# -- pages

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 5
myst_links_external_new_tab = False
suppress_warnings = [
    "myst.header",  # a page of the repository may begin where it likes
    "misc.highlighting_failure",  # lines of JSON are JSON to people
    "config.cache",  # functions in the gallery's configuration
]

# -- API

default_role = "py:obj"
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# -- looks

html_theme = "pydata_sphinx_theme"
html_title = "kineseg"
html_static_path = [str(_HERE / "static")]
html_css_files = ["kineseg.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "kineseg"},
    "icon_links": [
        {"name": "GitHub", "url": "https://github.com/kineseg/kineseg", "icon": "fa-brands fa-github"},
    ],
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "project/changelog": []}
copyright = "the kineseg founders, Apache-2.0"  # noqa: A001 - Sphinx names it
copybutton_exclude = ".linenos, .gp, .go"

# -- gallery

configure_logs("warning")  # what servers of the examples say is no part of the pages

sphinx_gallery_conf = {
    "examples_dirs": str(_HERE.parent / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"/[0-9]+_\w+\.py$",
    "ignore_pattern": r"(__init__|test_\w+)\.py$",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 3600,
    "write_computation_times": False,
    "plot_gallery": os.environ.get("KINESEG_SITE_GALLERY", "1") == "1",
    "abort_on_example_error": True,
    "thumbnail_size": (480, 300),
}
