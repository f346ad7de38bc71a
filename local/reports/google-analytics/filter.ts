import type { Filter, FilterExpression } from './request.ts';

/** The fields that an expression names, each once. */
export function fieldsOf(expression: FilterExpression): string[] {
  const names = new Set<string>();
  const walk = (it: FilterExpression): void => {
    if (it.filter !== undefined) names.add(it.filter.fieldName);
    if (it.notExpression !== undefined) walk(it.notExpression);
    for (const inner of [...(it.andGroup?.expressions ?? []), ...(it.orGroup?.expressions ?? [])])
      walk(inner);
  };
  walk(expression);
  return [...names];
}

/** A filter over the values of `names`, in that order. Throws a SyntaxError for a regular expression that is none. */
export function compileFilter(
  expression: FilterExpression,
  names: readonly string[],
): (values: readonly string[]) => boolean {
  const { andGroup, orGroup, notExpression, filter } = expression;
  if (andGroup !== undefined) {
    const all = andGroup.expressions.map((it) => compileFilter(it, names));
    return (values) => all.every((keeps) => keeps(values));
  }
  if (orGroup !== undefined) {
    const any = orGroup.expressions.map((it) => compileFilter(it, names));
    return (values) => any.some((keeps) => keeps(values));
  }
  if (notExpression !== undefined) {
    const keeps = compileFilter(notExpression, names);
    return (values) => !keeps(values);
  }
  if (filter === undefined) return () => true;
  const place = names.indexOf(filter.fieldName);
  const test = compileOne(filter);
  return (values) => test(values[place] ?? '');
}

function compileOne(filter: Filter): (value: string) => boolean {
  const { stringFilter, inListFilter, numericFilter, betweenFilter, emptyFilter } = filter;
  if (stringFilter !== undefined) {
    const { value, caseSensitive, matchType } = stringFilter;
    const fold = (text: string) => (caseSensitive ? text : text.toLowerCase());
    const wanted = fold(value);
    switch (matchType) {
      case 'BEGINS_WITH':
        return (text) => fold(text).startsWith(wanted);
      case 'ENDS_WITH':
        return (text) => fold(text).endsWith(wanted);
      case 'CONTAINS':
        return (text) => fold(text).includes(wanted);
      case 'FULL_REGEXP': {
        const pattern = new RegExp(`^(?:${value})$`, caseSensitive ? 'u' : 'iu');
        return (text) => pattern.test(text);
      }
      case 'PARTIAL_REGEXP': {
        const pattern = new RegExp(value, caseSensitive ? 'u' : 'iu');
        return (text) => pattern.test(text);
      }
      default:
        return (text) => fold(text) === wanted;
    }
  }
  if (inListFilter !== undefined) {
    const fold = (text: string) => (inListFilter.caseSensitive ? text : text.toLowerCase());
    const wanted = new Set(inListFilter.values.map(fold));
    return (text) => wanted.has(fold(text));
  }
  const numberOf = (value: { int64Value?: number | undefined; doubleValue?: number | undefined }) =>
    value.int64Value ?? value.doubleValue ?? 0;
  if (numericFilter !== undefined) {
    const wanted = numberOf(numericFilter.value);
    switch (numericFilter.operation) {
      case 'LESS_THAN':
        return (text) => Number(text) < wanted;
      case 'LESS_THAN_OR_EQUAL':
        return (text) => Number(text) <= wanted;
      case 'GREATER_THAN':
        return (text) => Number(text) > wanted;
      case 'GREATER_THAN_OR_EQUAL':
        return (text) => Number(text) >= wanted;
      default:
        return (text) => Number(text) === wanted;
    }
  }
  if (betweenFilter !== undefined) {
    const [low, high] = [numberOf(betweenFilter.fromValue), numberOf(betweenFilter.toValue)];
    return (text) => Number(text) >= low && Number(text) <= high;
  }
  if (emptyFilter !== undefined) return (text) => text === '' || text === '(not set)';
  return () => true;
}
