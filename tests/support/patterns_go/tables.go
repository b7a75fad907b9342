// Prints what Go knows of characters: general categories, scripts and simple case folding.
package main

import (
	"encoding/json"
	"os"
	"sort"
	"unicode"
)

type run struct {
	Length int    `json:"length"`
	Name   string `json:"name"`
}

func names(tables map[string]*unicode.RangeTable, wanted func(string) bool) []string {
	found := []string{}
	for name := range tables {
		if wanted(name) {
			found = append(found, name)
		}
	}
	sort.Strings(found)
	return found
}

func runs(tables map[string]*unicode.RangeTable, of []string) []run {
	found := []run{}
	for point := rune(0); point <= unicode.MaxRune; point++ {
		name := ""
		for _, each := range of {
			if unicode.Is(tables[each], point) {
				name = each
				break
			}
		}
		if last := len(found) - 1; last >= 0 && found[last].Name == name {
			found[last].Length++
		} else {
			found = append(found, run{1, name})
		}
	}
	return found
}

func orbits() [][]rune {
	found := [][]rune{}
	for point := rune(0); point <= unicode.MaxRune; point++ {
		orbit := []rune{point}
		for next := unicode.SimpleFold(point); next != point; next = unicode.SimpleFold(next) {
			orbit = append(orbit, next)
		}
		sort.Slice(orbit, func(a, b int) bool { return orbit[a] < orbit[b] })
		if len(orbit) > 1 && orbit[0] == point {
			found = append(found, orbit)
		}
	}
	return found
}

func main() {
	categories := names(unicode.Categories, func(name string) bool {
		return len(name) == 2 && name != "LC" && name != "Cn"
	})
	scripts := names(unicode.Scripts, func(string) bool { return true })
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"version":    unicode.Version,
		"categories": runs(unicode.Categories, categories),
		"scripts":    runs(unicode.Scripts, scripts),
		"orbits":     orbits(),
	})
}
