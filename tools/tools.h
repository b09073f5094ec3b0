/* SPDX-License-Identifier: BSD-3-Clause */
/* The sub-commands of lagoon. argv[0] is the sub-command's name; the result
 * is the exit status: 0, 1 (the run failed), 2 (usage or data). */
#ifndef LGN_TOOLS_TOOLS_H
#define LGN_TOOLS_TOOLS_H

int tool_train(int argc, char **argv);
int tool_predict(int argc, char **argv);
int tool_topics(int argc, char **argv);	/* in train_lda.c */
int tool_similar(int argc, char **argv);	/* in train_similar.c */
int tool_checkpoint(int argc, char **argv);
int tool_generate(int argc, char **argv);
int tool_generate_ratings(int argc, char **argv);
int tool_run(int argc, char **argv);
int tool_info(int argc, char **argv);
int tool_bench(int argc, char **argv);	/* in bench/ */

/* Start argv n times as a job on pretended nodes (0: real). */
int tool_spawn(int n, int nodes, char **argv);

#endif
