"""Many models at once are the same models one by one; early stopping; variations; scaling."""

import numpy as np
import pytest
from scipy import sparse

from studio.algorithms.linear_learner import losses, scaling, solver, variations
from studio.algorithms.linear_learner.losses import Shape
from studio.algorithms.linear_learner.optimizers import Recipe
from studio.algorithms.linear_learner.solver import Examples, Plan, Race, Stack, Task, Verdict
from studio.algorithms.linear_learner.variations import Asked, Automatic

AUTOMATIC = Automatic(learning_rate=0.1, wd=0.01, l1=0.1, balance=4.0, validated=True)


NEVER = solver.Alone(lambda: False)


def quiet(epoch: solver.Epoch) -> None: ...


def problem(classes: int = 1, rows: int = 103) -> tuple[Examples, losses.Loss]:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(rows, 6)).astype(np.float32)
    features[:, -1] = 1
    if classes > 1:
        labels = (features @ rng.normal(size=(6, classes))).argmax(axis=1)
        return Examples(features, labels), losses.make("softmax_loss", Shape())
    labels = (features @ rng.normal(size=6) + rng.normal(size=rows)).astype(np.float32)
    return Examples(features, labels), losses.make("squared_loss", Shape())


def judge_of(examples: Examples, loss: losses.Loss) -> solver.Judge:
    def judge(weights: np.ndarray) -> Verdict:
        models, classes, columns = weights.shape
        z = solver.scores(examples.features, weights.reshape(-1, columns))
        shaped = z.reshape(models, classes, -1) if classes > 1 else z
        with np.errstate(all="ignore"):
            value = loss.value(shaped, examples.labels).mean(axis=-1)
        return Verdict(value, value)

    return judge


def one(stack: Stack, number: int) -> Stack:
    return Stack(**{name: values[number : number + 1] for name, values in vars(stack).items()})


@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_batched_models_equal_single_models(classes: int, optimizer: str) -> None:
    examples, loss = problem(classes)
    stack = variations.make(Asked(l1=0.001), AUTOMATIC, 7, 50)
    start = np.random.default_rng(1).normal(0, 0.1, (7, classes, 6)).astype(np.float32)
    plan = Plan(batch_size=20, epochs=5, patience=99, optimizer=Recipe(optimizer, 0.9))
    judge = judge_of(examples, loss)
    together = solver.train(Task(examples, loss, stack, plan, start), judge, quiet, NEVER)
    for number in range(7):
        task = Task(examples, loss, one(stack, number), plan, start[number : number + 1])
        alone = solver.train(task, judge, quiet, NEVER)
        np.testing.assert_allclose(together.weights[number], alone.weights[0], atol=2e-5)
        assert together.loss[number] == pytest.approx(alone.loss[0], rel=1e-4)


def test_stopped_models_do_not_disturb_the_others() -> None:
    """A model that diverges or stands still is dropped; the rest train as if it had never been."""
    examples, loss = problem()
    stack = variations.make(Asked(), AUTOMATIC, 4, 200)
    rate = stack.learning_rate.copy()
    rate[1], rate[2] = 1e-9, 1e30
    stack = Stack(**{**vars(stack), "learning_rate": rate})
    start = np.zeros((4, 1, 6), np.float32)
    plan = Plan(batch_size=20, epochs=12, patience=2, optimizer=Recipe("sgd"))
    ran: list[list[int]] = []
    judge = judge_of(examples, loss)
    task = Task(examples, loss, stack, plan, start)
    race = solver.train(task, judge, lambda epoch: ran.append(epoch.models.tolist()), NEVER)
    assert ran[0] == [0, 1, 2, 3]
    assert {1, 2} & set(ran[-1]) == set()
    assert np.isfinite(race.weights).all()
    alone = solver.train(Task(examples, loss, one(stack, 0), plan, start[:1]), judge, quiet, NEVER)
    np.testing.assert_allclose(race.weights[0], alone.weights[0], atol=1e-5)


def test_the_last_short_batch_has_its_own_mean() -> None:
    examples, loss = problem(rows=5)
    stack = variations.make(Asked(learning_rate=0.01, wd=0, l1=0), AUTOMATIC, 1, 3)
    plan = Plan(batch_size=2, epochs=1, optimizer=Recipe("sgd"), seed=3)
    task = Task(examples, loss, stack, plan, np.zeros((1, 1, 6), np.float32))
    race = solver.train(task, judge_of(examples, loss), quiet, NEVER)
    weights = np.zeros(6)
    order = np.random.default_rng(3).permutation(3)
    for step, batch in enumerate(order):
        x, y = (part[2 * batch : 2 * batch + 2] for part in (examples.features, examples.labels))
        rate = 0.01 * stack.scheduler_factor[0] ** step
        weights -= rate * 2 * (x @ weights - y) @ x / len(y)
    np.testing.assert_allclose(race.weights[0, 0], weights, rtol=1e-5)


def test_sparse_examples_train_like_dense_ones() -> None:
    examples, loss = problem()
    examples.features[np.abs(examples.features) < 0.5] = 0
    other = Examples(sparse.csr_matrix(examples.features), examples.labels)
    stack = variations.make(Asked(), AUTOMATIC, 3, 50)
    start = np.full((3, 1, 6), 0.1, np.float32)
    plan = Plan(batch_size=20, epochs=4)
    results = [
        solver.train(Task(data, loss, stack, plan, start), judge_of(data, loss), quiet, NEVER)
        for data in (examples, other)
    ]
    np.testing.assert_allclose(results[0].weights, results[1].weights, atol=1e-5)


def test_patience_and_tolerance() -> None:
    plan = Plan(batch_size=1, epochs=9, patience=2, tolerance=0.1)
    race = Race.start(np.zeros((2, 1, 1), np.float32))
    steps = [([10.0, 10.0], 2), ([8.0, 9.5], 2), ([7.0, 9.4], 1), ([6.0], 1)]
    for costs, running in steps:
        cost = np.array(costs)
        weights = np.ones((len(cost), 1, 1), np.float32)
        race.judge(weights, Verdict(cost, cost), plan)
        assert race.running.size == running
    assert race.cost.tolist() == [6.0, 9.4]


def test_training_can_be_stopped_between_two_steps() -> None:
    examples, loss = problem()
    stack = variations.make(Asked(), AUTOMATIC, 2, 50)
    plan = Plan(batch_size=50, epochs=9)
    task = Task(examples, loss, stack, plan, np.zeros((2, 1, 6), np.float32))
    for answers, expected in (([False, True], 2), ([False] * 2 + [True], 3)):
        seen: list[solver.Epoch] = []
        said = iter(answers)
        stopped = lambda said=said: next(said, True)  # noqa: E731
        race = solver.train(task, judge_of(examples, loss), seen.append, solver.Alone(stopped))
        assert [(epoch.number, epoch.steps) for epoch in seen] == [(0, expected)]
        assert np.isfinite(race.loss).all()


def test_the_schedule_lowers_the_rate_to_its_floor() -> None:
    examples, loss = problem(rows=100)
    stack = variations.make(
        Asked(
            learning_rate=0.5,
            lr_scheduler_step=2,
            lr_scheduler_factor=0.5,
            lr_scheduler_minimum_lr=0.1,
        ),
        AUTOMATIC,
        1,
        10,
    )
    task = Task(
        examples, loss, stack, Plan(batch_size=10, epochs=1), np.zeros((1, 1, 6), np.float32)
    )
    rates: list[float] = []
    noting = solver.Alone(lambda: rates.append(float(run._rate[0, 0])) is not None)
    run = solver._Run(task, noting)
    run.epoch(np.random.default_rng(0))
    assert rates == pytest.approx([0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.1, 0.1, 0.1, 0.1])


def test_bias_has_its_own_rate_and_decay() -> None:
    examples, loss = problem()
    stack = variations.make(Asked(learning_rate=0.1, wd=0.5), AUTOMATIC, 1, 10)
    plan = Plan(batch_size=10, epochs=1, bias_lr_mult=3.0, bias_wd_mult=0.5)
    run = solver._Run(Task(examples, loss, stack, plan, np.zeros((1, 1, 6), np.float32)), NEVER)
    assert run._wd[0].tolist() == pytest.approx([0.5] * 5 + [0.25])
    assert run._pace[0].tolist() == pytest.approx([1.0] * 5 + [3.0])
    assert run._l1[0, -1] == 0.0


def test_model_0_has_the_given_values_and_the_others_vary_them() -> None:
    asked = Asked(learning_rate=0.3, wd=0.02, l1=0.0)
    stack = variations.make(asked, AUTOMATIC, 32, 1000)
    assert (stack.learning_rate[0], stack.wd[0]) == (0.3, 0.02)
    assert np.unique(stack.learning_rate).size >= 31
    assert ((stack.learning_rate >= 0.15) & (stack.learning_rate <= 0.6)).all()
    assert ((stack.wd >= 0.01) & (stack.wd <= 0.04)).all()
    assert not stack.l1.any()


def test_automatic_penalties_vary_only_where_unseen_data_choose() -> None:
    seen = Automatic(0.1, 0.01, 0.1, 4.0, validated=False)
    assert np.ptp(np.log10(variations.make(Asked(), AUTOMATIC, 32, 100).wd)) > 2
    stack = variations.make(Asked(), seen, 32, 100)
    assert np.ptp(np.log10(stack.wd)) < 1
    assert not stack.l1.any()
    weights = variations.make(Asked(positive_weight=None), seen, 32, 100).positive_weight
    assert set(weights) == {1.0, 4.0, 2.0}


def test_folded_weights_take_raw_features() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(5, 3, (50, 4)).astype(np.float32)
    raw[:, 2] = 7.0
    labels = rng.normal(1000, 200, 50)
    for wanted in (
        scaling.Wanted(True, True, True, True),
        scaling.Wanted(False, True, False, True),
    ):
        scaler = scaling.fit(raw, labels, wanted)
        normal = scaler.features(raw, True)
        weights = rng.normal(size=(3, 5)).astype(np.float32)
        slopes, bias = scaler.fold(weights, True)
        expected = (normal @ weights.T) * scaler.label_scale + scaler.label_shift
        np.testing.assert_allclose(raw @ slopes.T + bias, expected, rtol=1e-4)
    assert scaler.scale[2] == 1.0


def test_sparse_features_are_scaled_and_never_shifted() -> None:
    raw = sparse.random(200, 5, 0.3, random_state=0, format="csr", dtype=np.float32) * 10
    scaler = scaling.fit(raw, np.zeros(200), scaling.Wanted(False, True, False, False))
    normal = scaler.features(raw, True)
    assert sparse.issparse(normal)
    assert normal.shape == (200, 6)
    np.testing.assert_allclose(normal[:, :5].power(2).mean(axis=0), np.ones((1, 5)), rtol=1e-4)
