%% SPDX-License-Identifier: MIT
%%
%% skynet: a tree of processes, ten children each, a million leaves; every leaf answers its number and every
%% node the sum of its children. N trees are built one after the other.
-module(skynet).
-export([sizes/0, run/2]).

-define(CHILDREN, 10).

sizes() -> {"actors/s", 5, 1111111}.

run(N, Actors) ->
    Leaves = leaves(Actors),
    Expected = Leaves * (Leaves - 1) div 2,
    {Seconds, Results} = bench:measure(fun() -> [tree(Leaves) || _ <- lists:seq(1, N)] end),
    Checked = lists:all(fun(Result) -> Result =:= Expected end, Results),
    #{done => N * Actors, seconds => Seconds, checked => Checked}.

%% Of a full tree of so many processes.
leaves(Actors) -> (Actors * (?CHILDREN - 1) + 1) div ?CHILDREN.

tree(Leaves) ->
    Main = self(),
    spawn(fun() -> node(Main, 0, Leaves) end),
    receive {sum, Value} -> Value end.

node(Parent, Number, 1) ->
    Parent ! {sum, Number};
node(Parent, Number, Size) ->
    Self = self(),
    Part = Size div ?CHILDREN,
    [spawn(fun() -> node(Self, Number + I * Part, Part) end) || I <- lists:seq(0, ?CHILDREN - 1)],
    Parent ! {sum, total(?CHILDREN, 0)}.

total(0, Total) ->
    Total;
total(Left, Total) ->
    receive
        {sum, Value} -> total(Left - 1, Total + Value)
    end.
