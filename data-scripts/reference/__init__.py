# SPDX-License-Identifier: Apache-2.0
"""The models in float64, straight from the papers; see ../fixtures.py."""
