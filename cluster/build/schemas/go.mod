module pristine/schemas

go 1.26.0
