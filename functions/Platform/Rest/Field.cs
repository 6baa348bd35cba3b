using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;

namespace Cloud.Platform.Rest;

/// <summary>One property of <typeparamref name="T"/> as the API sees it.</summary>
internal abstract class Field<T>(PropertyInfo property, FieldAttribute rule)
{
    private readonly ApiVersion? _since = rule.Since is null ? null : ApiVersion.Parse(rule.Since);
    private readonly ApiVersion? _until = rule.Until is null ? null : ApiVersion.Parse(rule.Until);
    protected readonly ValidationAttribute[] Validators = [.. property.GetCustomAttributes<ValidationAttribute>()];

    public FieldAttribute Rule => rule;
    public PropertyInfo Property => property;
    public string Wire { get; } = rule.Wire ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
    public JsonEncodedText Encoded { get; } = JsonEncodedText.Encode(rule.Wire ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));

    public bool In(ApiVersion version) => (_since is null || version >= _since) && (_until is null || version <= _until);

    public abstract void Write(Utf8JsonWriter writer, T item, Dialect dialect);
    public abstract object? Get(T item);
    /// <summary>Sets the property of <paramref name="item"/> (a copy made for this) from the body.</summary>
    public abstract void Set(T item, JsonElement value, Dialect dialect);
    /// <summary>Adds a member to a <see cref="FieldAttribute.Rest"/> property.</summary>
    public abstract void Add(T item, string name, JsonElement value);

    public static Field<T>[] All() =>
    [
        .. typeof(T).GetProperties()
            .Select(p => (Property: p, Rule: p.GetCustomAttribute<FieldAttribute>()))
            .Where(x => x.Rule is not null)
            .Select(x => (Field<T>)Activator.CreateInstance(typeof(Field<,>).MakeGenericType(typeof(T), x.Property.PropertyType), x.Property, x.Rule!)!),
    ];
}

internal sealed class Field<T, TValue>(PropertyInfo property, FieldAttribute rule) : Field<T>(property, rule)
{
    private readonly Func<T, TValue> _get = property.GetMethod!.CreateDelegate<Func<T, TValue>>();
    private const int MaxMembers = 32, MaxName = 255, MaxValue = 4096;
    private readonly Action<T, TValue>? _set = property.SetMethod?.CreateDelegate<Action<T, TValue>>();

    public override object? Get(T item) => _get(item);

    public override void Write(Utf8JsonWriter writer, T item, Dialect dialect)
    {
        var value = _get(item);
        if (value is null && Rule.OmitNull) return;
        if (Rule.Rest)
        {
            foreach (var (name, member) in Members(item))
            {
                writer.WritePropertyName(name);
                member.WriteTo(writer);
            }
            return;
        }
        writer.WritePropertyName(Encoded);
        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case string s: writer.WriteStringValue(s); break;
            case int i: writer.WriteNumberValue(i); break;
            case long l: writer.WriteNumberValue(l); break;
            case bool b: writer.WriteBooleanValue(b); break;
            case DateTimeOffset t: writer.WriteStringValue(dialect.Time(t)); break;
            case JsonElement { ValueKind: JsonValueKind.Undefined }: writer.WriteNullValue(); break;
            default: JsonSerializer.Serialize(writer, value, dialect.Json); break;
        }
    }

    public override void Set(T item, JsonElement value, Dialect dialect)
    {
        if (_set is null) throw new InvalidOperationException($"{Wire} can't be set");
        TValue? parsed;
        if (value.ValueKind == JsonValueKind.Null)
        {
            if (!Rule.Nullable) throw Bad(value, "None is not allowed.");
            parsed = default;
        }
        else
        {
            try { parsed = value.Deserialize<TValue>(dialect.Json); }
            catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or OverflowException or NotSupportedException)
            {
                throw Bad(value, "It is not of the expected type.");
            }
            if (HoldsNull(parsed)) throw Bad(value, "None is not allowed.");
            foreach (var v in Validators)
                if (!v.IsValid(parsed)) throw Bad(value, v.FormatErrorMessage(Wire));
        }
        _set(item, parsed!);
    }

    public override void Add(T item, string name, JsonElement value)
    {
        var members = Members(item);
        if (name.Length is 0 or > MaxName || members.Count >= MaxMembers || value.GetRawText().Length > MaxValue)
            throw Fault.BadRequest($"Invalid input: at most {MaxMembers} additional attributes are kept, with names of up to {MaxName} and values of up to {MaxValue} characters.");
        _set!(item, (TValue)(object)new Dictionary<string, JsonElement>(members) { [name] = value.Clone() });
    }

    private Dictionary<string, JsonElement> Members(T item) => (Dictionary<string, JsonElement>)(object)_get(item)!;

    // The types say that there is none, but the reader doesn't look.
    private static bool HoldsNull(object? parsed) => parsed switch
    {
        string => false,
        System.Collections.IDictionary map => map.Values.Cast<object?>().Any(x => x is null),
        System.Collections.IEnumerable list => list.Cast<object?>().Any(x => x is null),
        _ => false,
    };

    private Fault Bad(JsonElement value, string why)
    {
        var text = value.GetRawText();
        return Fault.BadRequest($"Invalid input for field/attribute {Wire}. Value: {(text.Length > 80 ? text[..80] + "..." : text)}. {why}");
    }
}
