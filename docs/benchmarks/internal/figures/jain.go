package figures

// Jain is the fairness index of what everybody got: 1 if all got the same, 1/n
// if one got everything (Jain, Chiu and Hawe, 1984). It is 1 if there is nothing
// to share.
func Jain(shares []float64) float64 {
	var sum, squares float64
	for _, x := range shares {
		sum += x
		squares += x * x
	}
	if squares == 0 {
		return 1
	}
	return sum * sum / (float64(len(shares)) * squares)
}
