// Reads CSAF with the validator of the BSI: the schema, and every test that the standard calls mandatory.
//
//     node check.mjs DOCUMENT

import { readFileSync } from 'node:fs'
import validate from '@secvisogram/csaf-validator-lib/validate.js'
import * as schema from '@secvisogram/csaf-validator-lib/schemaTests.js'
import * as mandatory from '@secvisogram/csaf-validator-lib/mandatoryTests.js'

const document = JSON.parse(readFileSync(process.argv[2], 'utf-8'))
const tests = [...Object.values(schema), ...Object.values(mandatory)]
if (tests.length < 40) {
  console.log(`only ${tests.length} tests`)
  process.exit(1)
}
const result = await validate(tests, document)
for (const test of result.tests) {
  for (const error of test.errors ?? []) {
    console.log(`${test.name}: ${error.instancePath}: ${error.message}`)
  }
}
process.exit(result.isValid ? 0 : 1)
