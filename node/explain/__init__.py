"""Why a pupil is, or is not, a gap; and what an import would say before it says it. Nothing here writes."""
