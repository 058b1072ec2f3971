-- The date everything is judged by. A relation rather than a function call, so that a unit test can set the date.
select (select std.as_of()) as as_of
