using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloud.Platform.Sagas;
using Cloud.Platform.State;

namespace Cloud.Tests.Histories;

/// <summary>
/// All that old work needs a saga to be like: the order of its steps, and how its own row, its messages and its resource are stored. Properties that
/// are as in a new object are not stored, so what a new object is like belongs to it.
/// </summary>
public static class Form
{
    public static string[] Of(ISaga saga) => [.. saga.Steps.Select((s, i) => $"step {i + 1} {s}"), .. Of(saga.GetType().GetGenericArguments()[0], typeof(SagaRow), typeof(SagaMessage))];

    private static IEnumerable<string> Of(params Type[] types)
    {
        var (seen, left) = (new HashSet<Type>(), new Queue<Type>(types));
        while (left.TryDequeue(out var type))
        {
            if (!seen.Add(type) || Json.Whole.GetTypeInfo(type) is not { } info) continue;
            if (info.Kind is JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary) left.Enqueue(info.ElementType!);
            if (Nullable.GetUnderlyingType(type) is { } inner) left.Enqueue(inner);
            if (type.IsEnum) yield return $"{type.Name} is {string.Join(' ', Enum.GetValuesAsUnderlyingType(type).Cast<object>().Zip(Enum.GetNames(type), (v, n) => $"{v}={n}"))}";
            if (info.Kind != JsonTypeInfoKind.Object) continue;
            var fresh = type.GetConstructor(Type.EmptyTypes)?.Invoke(null);
            foreach (var p in info.Properties.Where(p => p.Get is not null && (p.Set is not null || p.AssociatedParameter is not null)).OrderBy(p => p.Name, StringComparer.Ordinal))
            {
                yield return $"{type.Name}.{p.Name} {Name(p.PropertyType)}{(p.IsRequired || fresh is null ? "" : " = " + JsonSerializer.Serialize(p.Get!(fresh), p.PropertyType, Json.Whole))}";
                left.Enqueue(p.PropertyType);
            }
        }
    }

    private static string Name(Type type) => type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : type.Name;
}
