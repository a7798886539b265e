module example.org/oracle

go 1.19

require (
	example.org/local v1.0.0
	rsc.io/quote v1.5.2
)

require (
	golang.org/x/text v0.0.0-20170915032832-14c0d48ead0c // indirect
	rsc.io/sampler v1.3.0 // indirect
)

replace example.org/local => ./local

replace rsc.io/sampler v1.3.0 => rsc.io/sampler v1.99.99
