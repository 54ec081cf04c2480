// Package plain reads what people say in plain words, such as "which updates is Windows 11 missing?", as the line of a command, and
// answers greetings and thanks. It also finds KB numbers and ids of CVEs in any text, and has the command
// lookup, which offers each of them. It knows English words and the names of the commands. It knows neither Slack nor which
// software there is: the words that are left name some, and the search decides which.
package plain
