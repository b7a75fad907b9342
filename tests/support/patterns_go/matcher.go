// Answers, for each line of patterns and texts, which texts match: "0" and "1", or why none can.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
)

type question struct {
	Pattern string   `json:"pattern"`
	Texts   []string `json:"texts"`
}

type answer struct {
	Refused  string `json:"refused"`
	Verdicts string `json:"verdicts"`
}

func judge(asked question) answer {
	pattern, err := regexp.Compile(asked.Pattern)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	verdicts := make([]byte, len(asked.Texts))
	for index, text := range asked.Texts {
		verdicts[index] = '0'
		if pattern.MatchString(text) {
			verdicts[index] = '1'
		}
	}
	return answer{Verdicts: string(verdicts)}
}

func main() {
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	writer := bufio.NewWriter(os.Stdout)
	defer writer.Flush()
	decoder, encoder := json.NewDecoder(reader), json.NewEncoder(writer)
	for decoder.More() {
		var asked question
		if err := decoder.Decode(&asked); err != nil {
			panic(err)
		}
		encoder.Encode(judge(asked))
	}
}
