# SPDX-License-Identifier: BSD-3-Clause
#
# lagoon.f90.in -> lagoon.f90: repeats what stands between
#
#	!@for buffer        and  !@end   for each element type and rank
#	!@for buffer row    and  !@end   for each of these and kind of row number
#	!@for row           and  !@end   for each kind of row number
#	!@for real          and  !@end   for each kind of real
#	!@for real row      and  !@end   for each of these and kind of row number
#
# with @B@ a name of the buffer, @TYPE@ its type, @RANK@ its rank, @LAGOON@ the
# table's type, @SHAPE@, @EXTENT@ and @FIRST@ its subscripts: colons, those of n
# rows of cols columns, and those of the first element; @ROW@ the kind. @REAL@ is the kind of a real, @CREAL@ the same as
# C names it, @SUFFIX@ what the C call of that kind ends in.
BEGIN {
	split("f64 f32 int64 int32", name)
	split("real(real64) real(real32) integer(int64) integer(int32)", type)
	split("LAGOON_F64 LAGOON_F32 LAGOON_INT64 LAGOON_INT32", code)
	split("(:) (:,:)", shape)
	split("(1) (1,1)", first)
	split("(cols*n) (cols,n)", extent)
	split("int32 int64", kind)
	split("real64 real32", real)
	split("c_double c_float", c_real)
	suffix[1] = ""
	suffix[2] = "_f32"
}

/^!@for / {
	with_buffer = / buffer/
	with_row = / row/
	with_real = / real/
	lines = 0
	collect = 1
	next
}

/^!@end/ {
	collect = 0
	for (i = 1; i <= (with_buffer ? 4 : with_real ? 2 : 1); i++)
		for (rank = 1; rank <= (with_buffer ? 2 : 1); rank++)
			for (k = 1; k <= (with_row ? 2 : 1); k++)
				emit(i, rank, k)
	next
}

collect { line[++lines] = $0; next }
{ print }

function emit(i, rank, k,   n, text) {
	for (n = 1; n <= lines; n++) {
		text = line[n]
		gsub(/@B@/, name[i] "_" rank, text)
		gsub(/@TYPE@/, type[i], text)
		gsub(/@LAGOON@/, code[i], text)
		gsub(/@RANK@/, rank, text)
		gsub(/@SHAPE@/, shape[rank], text)
		gsub(/@EXTENT@/, extent[rank], text)
		gsub(/@FIRST@/, first[rank], text)
		gsub(/@ROW@/, kind[k], text)
		gsub(/@REAL@/, real[i], text)
		gsub(/@CREAL@/, c_real[i], text)
		gsub(/@SUFFIX@/, suffix[i], text)
		print text
	}
}
