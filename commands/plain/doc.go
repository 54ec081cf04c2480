// Package plain turns plain words, such as "which updates is Windows 11 missing?", into command lines, and answers
// greetings and thanks. It also finds KB numbers and CVE ids in any text, and provides the command lookup, which offers
// each of them. It knows English words and the names of the commands. It knows neither Slack nor which software exists:
// the remaining words name some, and the search resolves them.
package plain
