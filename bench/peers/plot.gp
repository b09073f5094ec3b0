# SPDX-License-Identifier: BSD-3-Clause
# gnuplot -e "bars='FILE'; out='FOLDER'" plot.gp: how fast each library is in
# each row, the twin on plain memory being 1.
set terminal svg size 1100,480 font "sans,12" background rgb "white"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.95
set grid y
set key outside right top
set xtics rotate by -25
set logscale y
set yrange [1e-4:3]
set format y "%g"
set ylabel "speed, the twin on plain memory = 1"
peers = system("head -1 '" . bars . "' | wc -w") - 1

set output out . "/ratio.svg"
plot for [i=2:peers+1] bars using i:xtic(1) title columnheader(i), 1 lc rgb "gray" notitle with lines

set output out . "/sparse.svg"
unset logscale y
set yrange [0:*]
plot for [i=2:peers+1] "< grep -E '^row|^sparse' '" . bars . "'" using i:xtic(1) title columnheader(i)
