package main

const capacityFolder = "docs"

func writeCapacity(stored, folder string) error { return nil }
