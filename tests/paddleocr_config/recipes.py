"""Small recipes with the structure of PaddleOCR's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

WriteRecipe = Callable[..., Path]

HEADER = """
Global:
  use_gpu: false
  epoch_num: 6
  save_model_dir: ./out
  eval_batch_step: [0, 500]
  pretrained_model:
  character_dict_path: keys.txt
  max_text_length: &length 25
  use_space_char: true
Optimizer:
  name: Adam
  beta1: 0.9
  beta2: 0.99
  lr: {name: Cosine, learning_rate: 1e-3, warmup_epoch: 2}
  regularizer: {name: L2, factor: 3.0e-05}
"""

BACKBONE = """
{indent}Backbone:
{indent}  name: MobileNetV1Enhance
{indent}  scale: 0.5
{indent}  last_conv_stride: [1, 2]
{indent}  last_pool_type: avg
{indent}  last_pool_kernel_size: [2, 2]
"""

CTC = """
Architecture:
  model_type: rec
  algorithm: SVTR
  Transform:
{backbone}
  Neck: {{name: SequenceEncoder, encoder_type: svtr, dims: 64, depth: 2, hidden_dims: 120, use_guide: False}}
  Head: {{name: CTCHead, fc_decay: 0.00001}}
Loss:
  name: CTCLoss
PostProcess:
  name: CTCLabelDecode
Metric:
  name: RecMetric
  main_indicator: acc
"""

GTC_HEAD = """
{indent}Head:
{indent}  name: MultiHead
{indent}  head_list:
{indent}  - CTCHead:
{indent}      Neck: {{name: svtr, dims: 64, depth: 2, hidden_dims: 120, use_guide: True}}
{indent}      Head: {{fc_decay: 0.00001}}
{indent}  - {second}
"""

LOADERS = """
Train:
  dataset:
    name: SimpleDataSet
    data_dir: ./data
    ext_op_transform_idx: 1
    label_file_list: [train.txt, general.txt]
    ratio_list: [1.0, 0.1]
    transforms:
    - DecodeImage: {{img_mode: BGR, channel_first: false}}
{extra}
    - RecAug:
    - {encode}:
    - RecResizeImg:
        image_shape: [3, 48, 320]
    - KeepKeys:
        keep_keys: {keep}
  loader: {{shuffle: true, batch_size_per_card: 64, drop_last: true, num_workers: 2}}
Eval:
  dataset:
    name: SimpleDataSet
    data_dir: ./data
    label_file_list:
    - val.txt
    transforms:
    - DecodeImage: {{img_mode: BGR}}
    - {encode}:
    - RecResizeImg: {{image_shape: [3, 48, 320]}}
    - KeepKeys: {{keep_keys: {keep}}}
  loader: {{shuffle: false, drop_last: false, batch_size_per_card: 64, num_workers: 2}}
"""

CONCATENATION = (
    "    - RecConAug: {prob: 0.5, ext_data_num: 2, image_shape: [48, 320, 3], max_text_length: *length}"
)
SAR = "SARHead: {enc_dim: 512, max_text_length: *length}"
NRTR = "NRTRHead: {nrtr_dim: 384, max_text_length: *length}"


def ctc_recipe() -> str:
    loaders = LOADERS.format(extra="", encode="CTCLabelEncode", keep="[image, label, length]")
    return HEADER + CTC.format(backbone=BACKBONE.format(indent="  ")) + loaders


def gtc_loaders() -> str:
    keep = "[image, label_ctc, label_sar, length, valid_ratio]"
    return LOADERS.format(extra=CONCATENATION, encode="MultiLabelEncode", keep=keep)


def gtc_recipe(second: str = SAR, loss: str = "SARLoss") -> str:
    return (
        HEADER
        + "\nArchitecture:\n  model_type: rec\n  algorithm: SVTR_LCNet\n  Transform:\n"
        + BACKBONE.format(indent="  ")
        + GTC_HEAD.format(indent="  ", second=second)
        + f"\nLoss:\n  name: MultiLoss\n  loss_config_list:\n  - CTCLoss:\n  - {loss}:\n"
        + "PostProcess: {name: CTCLabelDecode}\nMetric: {name: RecMetric, main_indicator: acc}\n"
        + gtc_loaders()
    )


def distillation_recipe() -> str:
    model = (
        "      freeze_params: {frozen}\n      return_all_feats: true\n      model_type: *type\n"
        "      algorithm: SVTR_LCNet\n      Transform:\n"
    )
    parts = BACKBONE.format(indent="      ") + GTC_HEAD.format(indent="      ", second=SAR)
    teacher = "    Teacher:\n      pretrained: ./teacher\n" + model.format(frozen="true") + parts
    student = "    Student:\n      pretrained: ./start/student\n" + model.format(frozen="false") + parts
    return (
        HEADER
        + '\nArchitecture:\n  model_type: &type "rec"\n  name: DistillationModel\n  algorithm: Distillation\n'
        + f"  Models:\n{teacher}{student}"
        + "Loss:\n  name: CombinedLoss\n  loss_config_list:\n  - DistillationCTCLoss: {weight: 1.0}\n"
        + "PostProcess: {name: DistillationCTCLabelDecode, model_name: [Student, Teacher], key: head_out}\n"
        + "Metric: {name: DistillationMetric, base_metric_name: RecMetric, main_indicator: acc, "
        + "key: Student, ignore_space: False}\n"
        + gtc_loaders()
    )
