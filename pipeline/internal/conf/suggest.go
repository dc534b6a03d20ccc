package conf

import "strings"

// maxSuggest bounds the length of the words that Suggest compares.
const maxSuggest = 64

// Suggest returns the candidate that word was most likely meant to be, or ""
// if none is near. Case, '-' and '_' do not count; otherwise a third of the
// letters may be wrong, swapped neighbours counting as one
// (the optimal string alignment distance).
func Suggest(word string, candidates []string) string {
	word = fold(word)
	if word == "" || len(word) > maxSuggest {
		return ""
	}
	best, bestDistance := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		folded := fold(c)
		if folded == "" || len(folded) > maxSuggest {
			continue
		}
		if d := distance(word, folded); d < bestDistance && d < len(folded) {
			best, bestDistance = c, d
		}
	}
	return best
}

func fold(s string) string {
	if len(s) > 2*maxSuggest {
		return ""
	}
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s))
}

func distance(a, b string) int {
	// rows[0] is the row under construction, rows[1] the one before it, rows[2] the one before that.
	var rows [3][maxSuggest + 1]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		rows[2], rows[1] = rows[1], rows[0]
		rows[0][0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[1][j]+1, rows[0][j-1]+1, rows[1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[2][j-2]+1)
			}
			rows[0][j] = d
		}
	}
	return rows[0][len(b)]
}
