"""Which keys PaddleOCR knows, and which of them do something here.

From the trainers of PaddleOCR 2.x and 3.x (``tools/program.py``, ``ppocr/data``, ``ppocr/optimizer``,
``ppocr/modeling``) and the recipes under ``configs/rec``. ``used`` keys change what datakit does, ``idle``
ones are known and change nothing. ``open`` tables take further keys without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """The keys of one mapping of the YAML."""

    used: frozenset[str]
    idle: frozenset[str] = frozenset()
    open: bool = False

    @property
    def known(self) -> frozenset[str]:
        """Both."""
        return self.used | self.idle


def _table(used: str, idle: str = "", *, open_: bool = False) -> Table:
    return Table(frozenset(used.split()), frozenset(idle.split()), open_)


TOP = _table(
    "Global Optimizer Architecture Loss PostProcess Metric Train Eval Datakit",
    "Test Infer profiler_options wandb Uniform",
)

GLOBAL = _table(
    "epoch_num eval_batch_step save_model_dir pretrained_model character_dict_path max_text_length "
    "use_space_char d2s_train_image_shape",
    # Devices, numbers and speed
    "use_gpu use_xpu use_npu use_mlu use_gcu use_metax_gpu use_iluvatar_gpu use_metax use_iluvatar device "
    "distributed use_amp amp_level amp_dtype amp_custom_black_list amp_custom_white_list scale_loss "
    "use_dynamic_loss_scaling use_sync_bn use_tensorrt use_mkldnn to_static seed "
    # Saying and saving
    "debug log_smooth_window log_window_size print_batch_step log_grad_norm save_epoch_step save_res_path "
    "save_inference_dir save_visual use_visualdl visualdl use_wandb print_mem_info uniform_output_enabled "
    "cal_metric_during_train calc_epoch_interval eval_batch_epoch checkpoints model_name export_with_pir "
    "hpi_config_path "
    # Inference and other tasks
    "infer_img infer_list infer_mode infer_visual_type class_path kie_det_model_dir kie_rec_model_dir "
    "character_type character_num rm_symbol num_heads training_step max_new_tokens input_size algorithm "
    "doc_class rec_img_shape test_batch_step return_word_box",
)

OPTIMIZER = _table(
    "name beta1 beta2 lr regularizer",
    "epsilon clip_norm clip_norm_global weight_decay weight_deacy momentum rho group_lr training_step "
    "no_weight_decay_name one_dim_param_no_weight_decay lazy_mode grad_clip",
)
REGULARIZER = _table("name factor")

# Further parameters of every schedule that PaddleOCR has. last_epoch is set by its own loop.
LEARNING_RATES: Mapping[str, Table] = {
    "Const": _table("name learning_rate warmup_epoch", "last_epoch"),
    "Cosine": _table("name learning_rate warmup_epoch", "last_epoch"),
    "Linear": _table("name learning_rate warmup_epoch end_lr power", "last_epoch"),
    "Step": _table("name learning_rate warmup_epoch step_size gamma", "last_epoch"),
    "Piecewise": _table("name decay_epochs values warmup_epoch", "learning_rate last_epoch"),
    "MultiStepDecay": _table("name learning_rate milestones gamma warmup_epoch", "last_epoch"),
    "OneCycle": _table("name max_lr warmup_epoch", "anneal_strategy three_phase last_epoch learning_rate"),
    "CyclicalCosine": _table("name learning_rate warmup_epoch cycle", "last_epoch"),
    "TwoStepCosine": _table("name learning_rate warmup_epoch", "T_max1 T_max2 T_max last_epoch"),
    "LinearWarmupCosine": _table(
        "name learning_rate warmup_epoch", "start_lr min_lr last_epoch warmup_steps"
    ),
    "DecayLearningRate": _table("name learning_rate warmup_epoch", "factor end_lr last_epoch"),
}

ARCHITECTURE = _table(
    "model_type algorithm name Models Transform Backbone Neck Head pretrained freeze_params",
    "return_all_feats in_channels checkpoints",
)

BACKBONES: Mapping[str, Table] = {
    "MobileNetV1Enhance": _table(
        "name scale last_conv_stride last_pool_type last_pool_kernel_size", "in_channels"
    ),
    "PPLCNetV3": _table("name scale", "conv_kxk_num lr_mult_list lab_lr det in_channels"),
}
NECKS: Mapping[str, Table] = {
    "SequenceEncoder": _table(
        "name encoder_type hidden_size dims depth hidden_dims use_guide num_heads qkv_bias mlp_ratio "
        "drop_rate attn_drop_rate drop_path kernel_size qk_scale",
        "with_linear local_kernel in_channels out_channels",
    ),
}
HEADS: Mapping[str, Table] = {
    "CTCHead": _table("name fc_decay mid_channels", "return_feats out_channels in_channels"),
    "MultiHead": _table("name head_list", "use_pool use_pos out_channels_list"),
}
# The entries of a MultiHead's head_list.
SUB_HEADS: Mapping[str, Table] = {
    "CTCHead": _table("Neck Head"),
    "SARHead": _table("enc_dim max_text_length", open_=True),
    "NRTRHead": _table("nrtr_dim max_text_length num_decoder_layers", open_=True),
}

SECTION = _table("dataset loader sampler")
DATASETS: Mapping[str, str] = {
    "SimpleDataSet": "simple",
    "TextRecDataset": "simple",
    "LMDBDataSet": "lmdb",
    "MultiScaleDataSet": "multi-scale",
    "MSTextRecDataset": "multi-scale",
}
DATASET = _table(
    "name data_dir label_file_list ratio_list transforms delimiter",
    "ext_op_transform_idx ds_width padding padding_rand padding_align max_ratio min_ratio seed",
)
LOADER = _table(
    "batch_size_per_card",
    "shuffle drop_last num_workers use_shared_memory collate_fn num_sections prefetch_factor "
    "persistent_workers",
)
SAMPLER = _table(
    "name first_bs", "scales fix_bs divided_factor is_training ratio_wh max_w seed max_bs min_bs"
)

# Operators of a recognition recipe. What is read here has a table, the others are names only.
OPERATORS: Mapping[str, Table] = {
    "DecodeImage": _table("img_mode", "channel_first ignore_orientation"),
    "RecAug": _table(
        "tia_prob crop_prob reverse_prob noise_prob jitter_prob blur_prob hsv_aug_prob aug_prob use_tia"
    ),
    "RecConAug": _table("prob ext_data_num image_shape max_text_length"),
    "CTCLabelEncode": _table("", "lower"),
    "SARLabelEncode": _table("", "lower"),
    "NRTRLabelEncode": _table("", "lower"),
    "MultiLabelEncode": _table("gtc_encode", "lower"),
    "RecResizeImg": _table("image_shape", "padding infer_mode eval_mode character_dict_path"),
    "KeepKeys": _table("keep_keys"),
}
OTHER_OPERATORS = _table(
    "ABINetLabelEncode ABINetRecAug ABINetRecResizeImg AttnLabelEncode BaseDataAugmentation CANLabelEncode "
    "CPPDLabelEncode ColorJitter Fasttext GrayImageChannelFormat GrayRecResizeImg LatexOCRLabelEncode "
    "LatexTestTransform LatexTrainTransform LatexImageFormat MinMaxResize NormalizeImage PRENLabelEncode "
    "PRENResizeImg ParseQLabelEncode ParseQRecAug RFLLabelEncode RFLRecResizeImg RandAugment "
    "RobustScannerRecResizeImg SARRecResizeImg SATRNLabelEncode SEEDLabelEncode SPINLabelEncode "
    "SPINRecResizeImg SRNLabelEncode SRNRecResizeImg SSLRotateResize SVTRRecAug SVTRRecResizeImg ToCHWImage "
    "UniMERNetImgDecode UniMERNetLabelEncode UniMERNetResize UniMERNetTestTransform UniMERNetTrainTransform "
    "VLLabelEncode VLRecResizeImg ViTSTRLabelEncode"
).used

ENCODERS: Mapping[str, str] = {
    "CTCLabelEncode": "ctc",
    "SARLabelEncode": "sar",
    "NRTRLabelEncode": "nrtr",
    "MultiLabelEncode": "multi",
}

DATAKIT = _table(
    "guard max_forget average freeze batch_norm layer_decay distill distill_on amp patience evaluate_every "
    "seed"
)
