package main

import (
	"example.org/local"
	"fmt"
	"rsc.io/quote"
)

func main() { fmt.Println(local.Name, quote.Hello()) }
