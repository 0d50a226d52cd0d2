# SPDX-License-Identifier: Apache-2.0
# What pathfinder and pathx have in common: both are parts of the archive of the Long Range Arena,
# and need not be there.
proofs='curv_contour_length_14/imgs curv_contour_length_14/metadata'
archive=lra_release.gz
address=
size=
sum=
members="*$wanted/*"
skipped=
. "$(dirname "$0")/fetch.sh"
