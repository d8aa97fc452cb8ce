// Package schema makes JSON Schemas (draft 2020-12) of Go types.
//
// A schema that is written beside the code tells what the code once printed. Here
// the types are the source: members, their order and whether they may be missing
// come from the json tags; enumerations from the constants of a type, or from a
// comment that is nothing but words, such as "// present, absent or unknown";
// descriptions from the comments of fields.
//
// Call [Load] with the root of the module, then [Source.Document] for each
// document.
package schema
