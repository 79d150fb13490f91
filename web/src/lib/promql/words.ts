/** What PromQL knows besides metrics: https://prometheus.io/docs/prometheus/latest/querying/functions/ and …/operators/. */

export const AGGREGATIONS = [
  'avg', 'bottomk', 'count', 'count_values', 'group', 'limitk', 'limit_ratio', 'max', 'min', 'quantile', 'stddev', 'stdvar', 'sum', 'topk',
] as const

export const FUNCTIONS = [
  'abs', 'absent', 'absent_over_time', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'avg_over_time', 'ceil', 'changes', 'clamp', 'clamp_max', 'clamp_min', 'cos', 'cosh',
  'count_over_time', 'day_of_month', 'day_of_week', 'day_of_year', 'days_in_month', 'deg', 'delta', 'deriv', 'double_exponential_smoothing', 'exp', 'first_over_time', 'floor', 'histogram_fraction', 'histogram_quantile', 'histogram_quantiles', 'hour',
  'idelta', 'increase', 'info', 'integral', 'irate', 'label_join', 'label_replace', 'last_over_time', 'ln', 'log10', 'log2', 'mad_over_time', 'max_of', 'max_over_time', 'min_of', 'min_over_time', 'minute', 'month', 'pi',
  'predict_linear', 'present_over_time', 'quantile_over_time', 'rad', 'rate', 'resets', 'round', 'scalar', 'sgn', 'sin', 'sinh', 'sort', 'sort_by_label', 'sort_by_label_desc', 'sort_desc',
  'sqrt', 'start_timestamp', 'stddev_over_time', 'stdvar_over_time', 'sum_over_time', 'tan', 'tanh', 'time', 'timestamp', 'ts_of_first_over_time', 'ts_of_last_over_time', 'ts_of_max_over_time', 'ts_of_min_over_time', 'vector', 'year',
] as const

export const KEYWORDS = ['anchored', 'and', 'atan2', 'bool', 'by', 'fill', 'fill_left', 'fill_right', 'group_left', 'group_right', 'ignoring', 'offset', 'on', 'or', 'smoothed', 'unless', 'without'] as const
