// The only place that embeds text. A file added under Kernels/ gets its two lines here.
#include "KernelSources.h"

static const unsigned char types_clh[] = {
#embed "../common/types.clh"
};
static const unsigned char value_tile_clh[] = {
#embed "../common/value_tile.clh"
};
static const unsigned char problem_clh[] = {
#embed "../common/problem.clh"
};
static const unsigned char rows_clh[] = {
#embed "../common/rows.clh"
};
static const unsigned char blocks_clh[] = {
#embed "../common/blocks.clh"
};
static const unsigned char exp_clh[] = {
#embed "../common/exp.clh"
};
static const unsigned char logits_clh[] = {
#embed "../common/logits.clh"
};
static const unsigned char exclusion_clh[] = {
#embed "../common/exclusion.clh"
};
static const unsigned char transpose_clh[] = {
#embed "../common/transpose.clh"
};
static const unsigned char query_tile_clh[] = {
#embed "../common/query_tile.clh"
};
static const unsigned char mask_tile_clh[] = {
#embed "../common/mask_tile.clh"
};
static const unsigned char key_block_clh[] = {
#embed "../common/key_block.clh"
};
static const unsigned char merge_clh[] = {
#embed "../common/merge.clh"
};
static const unsigned char row_weights_clh[] = {
#embed "../common/row_weights.clh"
};
static const unsigned char exp2_clh[] = {
#embed "../common/exp2.clh"
};
static const unsigned char tanh_clh[] = {
#embed "../common/tanh.clh"
};
static const unsigned char stages_clh[] = {
#embed "../common/stages.clh"
};
static const unsigned char fours_clh[] = {
#embed "../common/fours.clh"
};
static const unsigned char registers_clh[] = {
#embed "../common/registers.clh"
};
static const unsigned char finish_clh[] = {
#embed "../common/finish.clh"
};
static const unsigned char decode_split_cl[] = {
#embed "../attention/decode_split.cl"
};
static const unsigned char decode_merge_cl[] = {
#embed "../attention/decode_merge.cl"
};
static const unsigned char tile_rows_clh[] = {
#embed "../common/tile_rows.clh"
};
static const unsigned char sub_groups_clh[] = {
#embed "../common/sub_groups.clh"
};
static const unsigned char reduce_clh[] = {
#embed "../common/reduce.clh"
};
static const unsigned char tile_values_clh[] = {
#embed "../common/tile_values.clh"
};
static const unsigned char tile_scores_clh[] = {
#embed "../common/tile_scores.clh"
};
static const unsigned char terms_clh[] = {
#embed "../common/terms.clh"
};
static const unsigned char scores_cl[] = {
#embed "../attention/scores.cl"
};
static const unsigned char softmax_cl[] = {
#embed "../attention/softmax.cl"
};
static const unsigned char weighted_sum_cl[] = {
#embed "../attention/weighted_sum.cl"
};
static const unsigned char score_output_cl[] = {
#embed "../attention/score_output.cl"
};
static const unsigned char concatenate_cl[] = {
#embed "../attention/concatenate.cl"
};
static const unsigned char flash_wide_cl[] = {
#embed "../attention/flash_wide.cl"
};
static const unsigned char decode_wide_cl[] = {
#embed "../attention/decode_wide.cl"
};
static const unsigned char merge_wide_cl[] = {
#embed "../attention/merge_wide.cl"
};
static const unsigned char flash_tiled_cl[] = {
#embed "../attention/flash_tiled.cl"
};
static const unsigned char layer_clh[] = {
#embed "../common/layer.clh"
};
static const unsigned char normal_clh[] = {
#embed "../common/normal.clh"
};
static const unsigned char activation_clh[] = {
#embed "../common/activation.clh"
};
static const unsigned char row_part_clh[] = {
#embed "../common/row_part.clh"
};
static const unsigned char group_clh[] = {
#embed "../common/group.clh"
};
static const unsigned char lane_sums_clh[] = {
#embed "../common/lane_sums.clh"
};
static const unsigned char linear_wide_cl[] = {
#embed "../layers/linear_wide.cl"
};
static const unsigned char layer_norm_cl[] = {
#embed "../layers/layer_norm.cl"
};
static const unsigned char embedding_cl[] = {
#embed "../layers/embedding.cl"
};
static const unsigned char rotary_cl[] = {
#embed "../layers/rotary.cl"
};
static const unsigned char pool_cl[] = {
#embed "../layers/pool.cl"
};
static const unsigned char copy_cl[] = {
#embed "../layers/copy.cl"
};
static const unsigned char select_top_cl[] = {
#embed "../layers/select_top.cl"
};
static const unsigned char linear_tiled_cl[] = {
#embed "../layers/linear_tiled.cl"
};
static const unsigned char linear_few_tiled_cl[] = {
#embed "../layers/linear_few_tiled.cl"
};
static const unsigned char additive_tiled_cl[] = {
#embed "../layers/additive_tiled.cl"
};
static const unsigned char layer_outputs_clh[] = {
#embed "../common/layer_outputs.clh"
};
static const unsigned char additive_wide_cl[] = {
#embed "../layers/additive_wide.cl"
};
static const unsigned char peak_cl[] = {
#embed "../bench/peak.cl"
};
static const unsigned char stream_cl[] = {
#embed "../bench/stream.cl"
};

static const struct {
    const char *name;
    const unsigned char *text;
    size_t length;
} files[] = {
    {"types.clh", types_clh, sizeof types_clh},
    {"value_tile.clh", value_tile_clh, sizeof value_tile_clh},
    {"problem.clh", problem_clh, sizeof problem_clh},
    {"rows.clh", rows_clh, sizeof rows_clh},
    {"blocks.clh", blocks_clh, sizeof blocks_clh},
    {"exp.clh", exp_clh, sizeof exp_clh},
    {"logits.clh", logits_clh, sizeof logits_clh},
    {"exclusion.clh", exclusion_clh, sizeof exclusion_clh},
    {"transpose.clh", transpose_clh, sizeof transpose_clh},
    {"query_tile.clh", query_tile_clh, sizeof query_tile_clh},
    {"mask_tile.clh", mask_tile_clh, sizeof mask_tile_clh},
    {"key_block.clh", key_block_clh, sizeof key_block_clh},
    {"merge.clh", merge_clh, sizeof merge_clh},
    {"row_weights.clh", row_weights_clh, sizeof row_weights_clh},
    {"exp2.clh", exp2_clh, sizeof exp2_clh},
    {"tanh.clh", tanh_clh, sizeof tanh_clh},
    {"stages.clh", stages_clh, sizeof stages_clh},
    {"fours.clh", fours_clh, sizeof fours_clh},
    {"registers.clh", registers_clh, sizeof registers_clh},
    {"finish.clh", finish_clh, sizeof finish_clh},
    {"decode_split.cl", decode_split_cl, sizeof decode_split_cl},
    {"decode_merge.cl", decode_merge_cl, sizeof decode_merge_cl},
    {"tile_rows.clh", tile_rows_clh, sizeof tile_rows_clh},
    {"sub_groups.clh", sub_groups_clh, sizeof sub_groups_clh},
    {"reduce.clh", reduce_clh, sizeof reduce_clh},
    {"tile_values.clh", tile_values_clh, sizeof tile_values_clh},
    {"tile_scores.clh", tile_scores_clh, sizeof tile_scores_clh},
    {"terms.clh", terms_clh, sizeof terms_clh},
    {"scores.cl", scores_cl, sizeof scores_cl},
    {"softmax.cl", softmax_cl, sizeof softmax_cl},
    {"weighted_sum.cl", weighted_sum_cl, sizeof weighted_sum_cl},
    {"score_output.cl", score_output_cl, sizeof score_output_cl},
    {"concatenate.cl", concatenate_cl, sizeof concatenate_cl},
    {"flash_wide.cl", flash_wide_cl, sizeof flash_wide_cl},
    {"decode_wide.cl", decode_wide_cl, sizeof decode_wide_cl},
    {"merge_wide.cl", merge_wide_cl, sizeof merge_wide_cl},
    {"flash_tiled.cl", flash_tiled_cl, sizeof flash_tiled_cl},
    {"layer.clh", layer_clh, sizeof layer_clh},
    {"normal.clh", normal_clh, sizeof normal_clh},
    {"activation.clh", activation_clh, sizeof activation_clh},
    {"row_part.clh", row_part_clh, sizeof row_part_clh},
    {"group.clh", group_clh, sizeof group_clh},
    {"lane_sums.clh", lane_sums_clh, sizeof lane_sums_clh},
    {"linear_wide.cl", linear_wide_cl, sizeof linear_wide_cl},
    {"layer_norm.cl", layer_norm_cl, sizeof layer_norm_cl},
    {"embedding.cl", embedding_cl, sizeof embedding_cl},
    {"rotary.cl", rotary_cl, sizeof rotary_cl},
    {"pool.cl", pool_cl, sizeof pool_cl},
    {"copy.cl", copy_cl, sizeof copy_cl},
    {"select_top.cl", select_top_cl, sizeof select_top_cl},
    {"linear_tiled.cl", linear_tiled_cl, sizeof linear_tiled_cl},
    {"linear_few_tiled.cl", linear_few_tiled_cl, sizeof linear_few_tiled_cl},
    {"additive_tiled.cl", additive_tiled_cl, sizeof additive_tiled_cl},
    {"layer_outputs.clh", layer_outputs_clh, sizeof layer_outputs_clh},
    {"additive_wide.cl", additive_wide_cl, sizeof additive_wide_cl},
    {"peak.cl", peak_cl, sizeof peak_cl},
    {"stream.cl", stream_cl, sizeof stream_cl},
};

size_t kernel_source_count(void) { return sizeof files / sizeof files[0]; }

const char *kernel_source_name(size_t index) { return files[index].name; }

const char *kernel_source_text(size_t index, size_t *length) {
    *length = files[index].length;
    return (const char *)files[index].text;
}
