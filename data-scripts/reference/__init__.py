"""The models in float64, straight from the papers; see ../fixtures.py."""
