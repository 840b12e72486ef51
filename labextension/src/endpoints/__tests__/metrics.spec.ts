import { fakeStudio } from '../../__tests__/studio';
import { ask, figures, lately, RANGES } from '../metrics';

const NOW = 1_000_000_005_000;

/** Answers each query with what `values` gives for its metric and statistic. */
function studioWith(values: Record<string, [number, number][]>) {
  return fakeStudio({
    'aws/cloudwatch/GetMetricData': body => ({
      MetricDataResults: body.MetricDataQueries.map((query: any) => {
        const { Metric, Stat } = query.MetricStat;
        const found = values[`${Metric.MetricName} ${Stat}`] ?? [];
        return {
          Id: query.Id,
          Timestamps: found.map(([at]) => at),
          Values: found.map(([, value]) => value)
        };
      })
    })
  });
}

describe('figures', () => {
  it('counts a minute, in milliseconds, with gaps where nobody asked', async () => {
    const studio = studioWith({
      'Invocations Sum': [[1_000_000_000, 5]],
      'ModelLatency p90': [[1_000_000_000, 2500]]
    });
    const known = await ask(studio.client, 'e', ['v'], RANGES[0], NOW);
    const found = figures(known, NOW);
    const [requests] = found.requests;
    const [p90] = found.latency.p90;
    const at = requests.at.indexOf(1_000_000_000_000);
    expect(requests.at).toHaveLength(90);
    expect(requests.value[at]).toBe(30);
    expect(requests.value[at - 1]).toBe(0);
    expect(p90.value[at]).toBe(2.5);
    expect(p90.value[at - 1]).toBeNull();
    expect(found.errors['5xx'][0].value.every(value => value === 0)).toBe(true);
    expect(found.batches).toEqual([]);
    const [later] = figures(known, NOW + 60_000).requests;
    expect(later.value[at - 6]).toBe(30);
    expect(later.value[89]).toBe(0);
  });

  it('has batches where requests are predicted together', async () => {
    const studio = studioWith({
      'BatchSize Average': [[1_000_000_000, 7.5]],
      'BatchWaitTime p99': [[1_000_000_000, 2500]]
    });
    const known = await ask(studio.client, 'e', ['v'], RANGES[0], NOW);
    const { batches, waits } = figures(known, NOW);
    const at = batches[0].at.indexOf(1_000_000_000_000);
    expect(batches[0].value[at]).toBe(7.5);
    expect(waits.p99[0].value[at]).toBe(2.5);
  });
});

describe('lately', () => {
  it('adds up the variants of an endpoint; the slowest one counts', async () => {
    const studio = studioWith({
      'Invocations Sum': [[1_000_000_000, 7]],
      'Invocation4XXErrors Sum': [[1_000_000_000, 1]],
      'ModelLatency p90': [[1_000_000_000, 4000]]
    });
    const endpoints = [
      { name: 'two', variants: ['a', 'b'] },
      { name: 'none', variants: [] }
    ];
    expect(await lately(studio.client, endpoints, NOW)).toEqual({
      two: { requests: 14, errors: 2, p90: 4 }
    });
  });
});
