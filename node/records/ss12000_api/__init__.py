"""Source: a school system's SS 12000:2020 API (`/persons`, `/organisations`, `/deletedEntities`)."""
